"""Several processes that serve the same socket, and the one that watches over them.

Nothing is imported here: a worker runs `lesionlens.api.workers.main` as its main module, which Python wants to import
itself.
"""
