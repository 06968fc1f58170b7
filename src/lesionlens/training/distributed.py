"""Several processes: what `torchrun` says of them, and deciding together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import torch
from torch import distributed as dist

__all__ = ["Processes", "processes"]

T = TypeVar("T")


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
        """Whether this process judges, writes the files and shows the progress bar."""
        return self.rank == 0

    def any_of(self, *flags: bool) -> list[bool]:
        """Say of each flag whether it is set in any process, alike in all of them.

        What a process decided by its own clock would leave the others waiting for it for ever.
        """
        if self.world == 1:
            return list(flags)
        shared = torch.tensor(flags, dtype=torch.int32)
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return [bool(flag) for flag in shared.tolist()]

    def gather(self, value: T) -> list[T]:
        """Return the values of all processes, in order."""
        if self.world == 1:
            return [value]
        values: list[Any] = [None] * self.world
        dist.all_gather_object(values, value)
        return values

    def from_leader(self, value: T) -> T:
        """Return the leading process's value in all of them."""
        if self.world == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]


@contextmanager
def processes(device: str) -> Iterator[Processes]:
    """Join the run that `torchrun` started, or be alone.

    Args:
        device: `cpu` (gloo) or `cuda` (nccl for the GPU's tensors, gloo for the others).
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Processes()
        return
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    if device == "cuda":
        torch.cuda.set_device(local_rank)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), world, local_rank)
    finally:
        dist.destroy_process_group()
