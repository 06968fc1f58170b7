"""Throws damaged files at whatever reads bytes from outside.

    PYTHONPATH=tests python -m fuzz --inputs 100000

`seeds` makes good files, `skeleton` finds their parts, `mutate` damages them, `targets` reads them and judges,
`worker` does so in a process of its own, which may die, and `campaign` keeps the books. Every input is named by its
number: the same number is the same bytes, as long as Pillow and the folder of real photos are the same.
"""
