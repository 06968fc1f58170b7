"""Images per second on a card, heatmaps included: one pass in ONNX Runtime against PyTorch with a backward pass.

The same B5 at 456 pixels in fp32 for all, in batches of 1, 8 and 64, from arrays in the machine's memory to arrays in
the machine's memory, since that is what a service pays for. The floor is what the card could do at best: its measured
rate of large matrix products over the operations of one forward pass. Needs an NVIDIA card, a build of PyTorch for it,
and `onnxruntime-gpu` in place of `onnxruntime`; TensorRT is measured where its libraries are installed.

    python benchmarks/speed/gpu.py
    python benchmarks/speed/gpu.py --rounds 20 --output results
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import torch
from machine import describe
from naive_server import eager_grad_cam
from torch.utils.flop_counter import FlopCounterMode
from weights import ARCHITECTURE, SIZE

from lesionlens.inference.engines import Outputs, create_engine
from lesionlens.settings import load_settings
from lesionlens.training.model import create_model

HERE = Path(__file__).resolve().parent
BATCHES = (1, 8, 64)
NOTHING_MEASURED = 2
TENSORRT = "TensorrtExecutionProvider"
MOST_APART = 1e-2  # of a logit; sums are taken in another order

FloatArray = npt.NDArray[np.float32]
Run = Callable[[FloatArray], FloatArray]


def why_not() -> str | None:
    """Return why nothing can be measured here; None if it can."""
    if not torch.cuda.is_available():
        return f"PyTorch {torch.__version__} finds no NVIDIA card on this machine"
    providers = ort.get_available_providers()
    if "CUDAExecutionProvider" not in providers:
        return f"ONNX Runtime {ort.__version__} is a build without CUDA (it has {', '.join(providers)})"
    return None


def contenders(folder: Path) -> dict[str, Run]:
    """Return what is measured: functions from a batch to its logits that compute the heatmaps as well."""
    graph = folder / "bundle" / "model.onnx"
    model = create_model(ARCHITECTURE)
    model.load_state_dict(torch.load(folder / "model.pth", weights_only=True))
    model.cuda().eval()

    def eager(batch: FloatArray) -> FloatArray:
        logits, maps = eager_grad_cam(model, model.get_submodule("conv_head"), torch.from_numpy(batch).cuda())
        maps.cpu()
        found: FloatArray = logits.cpu().numpy()
        return found

    cuda = create_engine(graph, "onnxruntime")
    runs: dict[str, Run] = {"PyTorch, two forwards and a backward": eager}
    runs["ONNX Runtime CUDA"] = lambda batch: cuda.run(batch).logits
    if TENSORRT in ort.get_available_providers():
        session = ort.InferenceSession(str(graph), providers=[(TENSORRT, {"trt_engine_cache_enable": False})])
        if session.get_providers()[0] == TENSORRT:  # else its libraries are missing, and the CPU would be measured
            name = session.get_inputs()[0].name
            runs["ONNX Runtime TensorRT"] = lambda batch: Outputs(*session.run(Outputs._fields, {name: batch})).logits
    return runs


def floor(model: torch.nn.Module) -> tuple[float, float]:
    """Return the measured rate of large fp32 matrix products in FLOP/s, and the operations of one forward pass."""
    side = 8192
    left, right = (torch.randn(side, side, device="cuda") for _ in range(2))
    seconds = []
    for _ in range(12):
        torch.cuda.synchronize()
        begun = time.perf_counter()
        torch.matmul(left, right)
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begun)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, 3, SIZE, SIZE))
    return 2.0 * side**3 / statistics.median(seconds[2:]), float(counter.get_total_flops())


def measure(runs: dict[str, Run], size: int, rounds: int) -> dict[str, float]:
    """Return the images per second of each contender, in turn, round after round; the answers are compared first."""
    batch = np.random.default_rng(0).standard_normal((size, 3, SIZE, SIZE), dtype=np.float32)
    answers = [run(batch) for run in runs.values()]  # which also warms up
    for answer in answers[1:]:
        apart = float(np.abs(answer - answers[0]).max())
        if apart > MOST_APART:
            raise SystemExit(f"void: logits differ by {apart:.2g}, more than {MOST_APART:g}")
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            begun = time.perf_counter()
            run(batch)
            seconds[name].append(time.perf_counter() - begun)
    return {name: size / statistics.median(values) for name, values in seconds.items()}


def main() -> int:
    """Measure and print the table; the exit status is 2 where there is nothing to measure on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--output", type=Path, help="folder for gpu.md and gpu.json")
    parser.add_argument("--folder", type=Path, default=load_settings().cache_dir / "benchmark-speed")
    options = parser.parse_args()
    if (reason := why_not()) is not None:
        print(f"Nothing was measured: {reason}.", file=sys.stderr)
        return NOTHING_MEASURED
    if not (options.folder / "bundle" / "manifest.json").is_file():
        subprocess.run([sys.executable, str(HERE / "weights.py"), str(options.folder)], check=True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False  # ours computes in fp32 as well
    rate, operations = floor(create_model(ARCHITECTURE).eval())
    runs = contenders(options.folder)
    results = {size: measure(runs, size, options.rounds) for size in BATCHES}
    baseline = next(iter(runs))
    lines = [
        f"{torch.cuda.get_device_name()}, fp32; floor: {rate / operations:.0f} images/s "
        f"({rate / 1e12:.1f} TFLOP/s measured, {operations / 1e9:.1f} GFLOP a forward pass)",
        "",
        "| images per second | " + " | ".join(f"batch {size}" for size in BATCHES) + " |",
        "|---" * (len(BATCHES) + 1) + "|",
    ]
    for name in runs:
        cells = [
            f"{results[size][name]:.0f} ({results[size][name] / results[size][baseline]:.1f}×, "
            f"{100 * results[size][name] * operations / rate:.0f} % of the floor)"
            for size in BATCHES
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    print(text := "\n".join(lines) + "\n")
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "gpu.md").write_text(text, encoding="utf-8")
        document = {"images_per_second": results, "machine": describe(), "flops": operations, "peak": rate}
        (options.output / "gpu.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
