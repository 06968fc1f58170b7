"""One pass against the usual way: forward, forward again with hooks, full backward for Grad-CAM.

Both run the same network with the same weights on the same input in one process, in turn. Needs the `train` extra.

    python benchmarks/one_pass.py --architecture tf_efficientnet_lite2 --size 224
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from lesionlens.inference.engines import available_engines, create_engine
from lesionlens.inference.threads import usable_cpus
from lesionlens.training.export import export_graph
from lesionlens.training.model import create_model
from lesionlens.training.one_pass import find_tail


def naive(model: torch.nn.Module, conv: str) -> Callable[[torch.Tensor], object]:
    """Return what the first SkinTracker backend did for a request."""

    def run(x: torch.Tensor) -> object:
        with torch.no_grad():
            logits = model(x)
        kept: dict[str, torch.Tensor] = {}
        layer = model.get_submodule(conv)
        hooks = [
            layer.register_forward_hook(lambda *args: kept.update(a=args[2])),
            layer.register_full_backward_hook(lambda *args: kept.update(gradient=args[2][0])),
        ]
        model.zero_grad()
        again = model(x)
        again[0, int(logits.argmax())].backward()
        for hook in hooks:
            hook.remove()
        return torch.relu((kept["gradient"].mean((2, 3), keepdim=True) * kept["a"]).sum(1))

    return run


def main() -> None:
    """Print the medians and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", default="tf_efficientnet_lite2")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    threads = usable_cpus()
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = create_model(options.architecture).eval()
    x = torch.randn(1, 3, options.size, options.size)
    run_naive = naive(model, find_tail(model, options.size).conv)
    runs: dict[str, Callable[[], object]] = {"naive (PyTorch fp32)": lambda: run_naive(x)}
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "model.onnx"
        graph.write_bytes(export_graph(model, options.size))
        for name in available_engines():
            engine = create_engine(graph, name, threads)
            runs[f"one pass ({name} {engine.info.precision})"] = lambda engine=engine: engine.run(x.numpy())
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for round_ in range(options.rounds + 3):
            for name, run in runs.items():
                began = time.perf_counter()
                run()
                if round_ >= 3:  # the first rounds warm up
                    seconds[name].append(time.perf_counter() - began)
    baseline = statistics.median(next(iter(seconds.values())))
    print(f"{options.architecture}, {options.size} px, batch 1, {threads} threads, median of {options.rounds}")
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:32} {1000 * median:8.1f} ms   {baseline / median:5.1f}× as fast as naive")


if __name__ == "__main__":
    main()
