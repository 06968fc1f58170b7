"""The floor: how long a network must take on this machine, and which share of it the engines reach.

    python benchmarks/floor.py                        # both networks; about 3 minutes on two idle cores
    python benchmarks/floor.py --network lite2 --rounds 3 --busy          # does it run at all?

Three figures for each network and precision. The *products* alone: multiply-adds, counted from the graph, over the best
that matrix products reach here. The *roofline*: the same layer by layer, but no layer quicker than its values can be
moved; depthwise convolutions do few products with each value, and are bound by that. And the *measured* time of the
quickest engine. Needs the extras `openvino`, `quantise`, `train` (for B5) and psutil.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

_HERE = Path(__file__).resolve().parent
sys.path[1:1] = [str(_HERE / "engines"), str(_HERE / "speed")]

import onnx  # noqa: E402 - the folders first
from machine import measuring  # noqa: E402
from networks import NETWORKS, Network, load_network  # noqa: E402

from floor_parts.operations import KINDS, Layer, count, seconds_at  # noqa: E402
from floor_parts.peaks import bandwidth, best, matrix_peaks  # noqa: E402
from lesionlens.errors import EngineError  # noqa: E402
from lesionlens.inference.engines import available_engines, create_engine  # noqa: E402
from lesionlens.inference.threads import usable_cpus  # noqa: E402
from lesionlens.quantise.graph import fold  # noqa: E402

_WIDTH: Final = {"fp32": 4, "bf16": 2, "int8": 1}  # bytes of a number
_IN_CACHE, _IN_MEMORY = 16, 400  # megabytes copied
_AIM: Final = 0.55


def main() -> None:
    """Print what the machine can do, what the networks ask for, and how far they are apart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=(*NETWORKS, "both"), default="both")
    parser.add_argument("--rounds", type=int, default=30, help="how often each is tried; the best counts")
    parser.add_argument("--threads", type=int, default=usable_cpus())
    parser.add_argument("--busy", action="store_true", help="go on though the machine is not idle")
    options = parser.parse_args()
    with measuring(go_on=options.busy):
        peaks = matrix_peaks(options.threads, options.rounds)
        print(f"\n| at most, {options.threads} threads | 10⁹ multiply-adds/s | measured with |\n|---|---|---|")
        for precision, peak in peaks.items():
            print(f"| {precision} | {peak.per_second / 1e9:.0f} | {peak.how} |")
        moved = {size: bandwidth(size, options.threads, options.rounds) for size in (_IN_CACHE, _IN_MEMORY)}
        for size, rate in moved.items():
            print(f"| bytes, {size} MB at a time | {rate / 1e9:.0f} GB/s | copying |")
        with tempfile.TemporaryDirectory() as folder:
            for name in NETWORKS if options.network == "both" else (options.network,):
                network = load_network(name, Path(folder), 8)
                layers = count(_model(network))
                print_layers(name, layers, {p: peak.per_second for p, peak in peaks.items()}, moved[_IN_CACHE])
                print_shares(
                    network, layers, {p: peak.per_second for p, peak in peaks.items()}, moved[_IN_CACHE], options
                )


def _model(network: Network) -> onnx.ModelProto:
    """Return the graph as engines run it: batch norms folded, weights widened."""
    return fold(network.graph).model


def print_layers(name: str, layers: list[Layer], peaks: dict[str, float], moved: float) -> None:
    """Print what each kind of layer asks for."""
    total = sum(layer.macs for layer in layers)
    print(f"\n## {name}: {total / 1e9:.3f} · 10⁹ multiply-adds for a photo\n")
    titles = [f"{precision}: products, roofline ms" for precision in peaks]
    print(f"| kind | layers | share of the multiply-adds | values moved, 10⁶ | {' | '.join(titles)} |")
    print(f"|---|---|---|---|{'---|' * len(peaks)}")
    for kind in KINDS:
        part = [layer for layer in layers if layer.kind == kind]
        cells = [
            f"{1000 * sum(layer.macs for layer in part) / rate:.2f}, "
            f"{1000 * sum(seconds_at(layer, rate, moved, _WIDTH[precision]) for layer in part):.2f}"
            for precision, rate in peaks.items()
        ]
        macs, values = sum(layer.macs for layer in part), sum(layer.values for layer in part)
        print(f"| {kind} | {len(part)} | {macs / total:.1%} | {values / 1e6:.1f} | {' | '.join(cells)} |")


def print_shares(
    network: Network, layers: list[Layer], peaks: dict[str, float], moved: float, options: argparse.Namespace
) -> None:
    """Print the measured times, and which share of the two floors they reach."""
    print("\n| engine | ms | products alone, ms | share reached | roofline, ms | share reached |")
    print("|---|---|---|---|---|---|")
    photo = network.photos[:1]
    for engine in available_engines():
        for graph, precision, arithmetic in (
            (network.graph, "fp32", "fp32"),
            (network.graph, "bf16", "bf16"),
            (network.int8[engine], "int8", "fp32"),
        ):
            if precision not in peaks:
                continue
            try:
                loaded = create_engine(graph, engine, options.threads, arithmetic)
            except EngineError:
                continue  # `benchmarks/engines` says why
            seconds = best(lambda loaded=loaded: loaded.run(photo), options.rounds)
            # Of a quantised network, some layers stay in floating point.
            used = [
                "fp32" if precision == "int8" and layer.name in network.float_nodes else precision for layer in layers
            ]
            pairs = list(zip(layers, used, strict=True))
            products = sum(layer.macs / peaks[of] for layer, of in pairs)
            roof = sum(seconds_at(layer, peaks[of], moved, _WIDTH[of]) for layer, of in pairs)
            share = products / seconds
            print(
                f"| {engine} {precision} | {1000 * seconds:.2f} | {1000 * products:.2f} "
                f"| {share:.0%}{'' if share >= _AIM else f' (aim {_AIM:.0%})'} | {1000 * roof:.2f} "
                f"| {roof / seconds:.0%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
