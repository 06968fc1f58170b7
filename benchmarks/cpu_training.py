"""Training steps on the CPU: plain bf16, with fp32 gradients of depthwise convolutions, and with freed memory kept.

All train one network in one process, in turn; the last stays in force once switched on. Needs the `train` extra.

    python benchmarks/cpu_training.py
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from lesionlens.inference.threads import usable_cpus
from lesionlens.training.cpu import keep_freed_memory, quicken_depthwise
from lesionlens.training.model import create_model


def images_per_second(model: torch.nn.Module, size: int, batch: int, steps: int) -> float:
    """Return the median speed of training steps under bf16 autocast, after two steps of warming up."""
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4)
    x = torch.randn(batch, 3, size, size).to(memory_format=torch.channels_last)
    y = torch.randint(0, 8, (batch,))
    seconds = []
    for _ in range(steps + 2):
        began = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(x)
        torch.nn.functional.cross_entropy(logits.float(), y).backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - began)
    return batch / statistics.median(seconds[2:])


def main() -> None:
    """Print the speeds and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", default="tf_efficientnet_lite2")
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=6)
    options = parser.parse_args()
    torch.set_num_threads(usable_cpus())
    model = create_model(options.architecture).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    measure = (options.size, options.batch, options.steps)
    speeds = {"plain": images_per_second(model, *measure)}
    quicken_depthwise(model)
    speeds["fp32 depthwise gradients"] = images_per_second(model, *measure)
    if keep_freed_memory():
        speeds["and freed memory kept"] = images_per_second(model, *measure)
    print(f"{options.architecture}, {options.size} px, batch {options.batch}, {usable_cpus()} threads, bf16")
    for name, speed in speeds.items():
        print(f"{name:26} {speed:6.1f} images/s   {speed / speeds['plain']:.2f}×")


if __name__ == "__main__":
    main()
