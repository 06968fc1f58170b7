"""Puts a running service under load and says how it held: `lesionlens loadtest`.

A load test is worth its figures only if it also looks at the answers: every one is compared with the answer that the
same photo got when it was sent alone. Nothing is imported here, so that the command is listed without the extra
`loadtest` too.
"""
