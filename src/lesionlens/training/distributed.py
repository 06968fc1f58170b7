"""Several processes: what `torchrun` says of them, and summing over them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import distributed as dist

__all__ = ["Processes", "processes", "sum_over"]


class Processes(NamedTuple):
    """This process among those of a run.

    Attributes:
        rank: Its number.
        world: How many there are.
        local_rank: Its number on this machine, which is its GPU.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        """Whether this process writes the files and the progress bar."""
        return self.rank == 0


@contextmanager
def processes(device: str) -> Iterator[Processes]:
    """Join the run that `torchrun` started, or be alone.

    Args:
        device: `cpu` (gloo) or `cuda` (nccl).
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Processes()
        return
    dist.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), world, int(os.environ.get("LOCAL_RANK", "0")))
    finally:
        dist.destroy_process_group()


def sum_over(value: torch.Tensor, world: int) -> torch.Tensor:
    """Sum a tensor over all processes, in place."""
    if world > 1:
        dist.all_reduce(value)
    return value
