"""Processes of a cluster on this machine, by what Ray calls them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["pids_of"]


def pids_of(cluster: Any, title: str) -> set[int]:
    """Processes whose title holds some words, such as an actor's class; those of this cluster alone."""
    raylets = {info.process.pid for node in cluster.list_all_nodes() for info in node.all_processes["raylet"]}
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            named = (process / "cmdline").read_bytes().decode(errors="replace")
            # pid (name) state parent …; a name may hold anything, parentheses included
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it is gone
        if named.startswith("ray::") and title in named and parent in raylets:
            found.add(int(process.name))
    return found
