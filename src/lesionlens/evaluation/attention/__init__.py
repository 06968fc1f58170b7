"""Heatmaps that are shown to be right: do they lie on the lesion, and does the answer depend on them?

`run.examine` does it all for `lesionlens evaluate --attention`; docs/attention.md says how to read the figures.
"""
