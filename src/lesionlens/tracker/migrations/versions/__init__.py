"""One module for each revision, numbered."""
