"""How many connections a process can hold: each takes a file descriptor."""

from __future__ import annotations

from typing import Final

__all__ = ["most_connections", "raise_file_limit"]

_RESERVED: Final = 128
"""Descriptors for all else: the database's connections, photo files, the engine, the log."""
_FEWEST: Final = 16
_ENOUGH: Final = 1024 * 1024
"""Where there is no limit at all, the kernel wants a number (`fs.nr_open` is this by default)."""


def raise_file_limit() -> int:
    """Raise this process' soft limit of file descriptors to its hard one, which every process may do (setrlimit(2)).

    The soft limit is 1,024 on most systems, for the sake of programs that use select(2); this one does not.

    Returns:
        How many the process may have open now; a million where there is no limit.
    """
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return _ENOUGH
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (ValueError, OSError):  # macOS says "unlimited" and allows less
            return soft
        return wanted
    return _ENOUGH if soft == resource.RLIM_INFINITY else soft


def most_connections(wanted: int, files: int) -> int:
    """Return how many connections a process takes.

    Args:
        wanted: How many the settings allow.
        files: How many file descriptors it may have open.

    Returns:
        At least 1.
    """
    return max(1, min(wanted, max(_FEWEST, files - _RESERVED)))
