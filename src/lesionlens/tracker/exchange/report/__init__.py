"""The readable report of a person: one page in HTML, the same in PDF."""
