"""The baseline: what a service of this kind usually does, written straight down with PyTorch and Flask.

Each request decodes the photo with Pillow, runs the network forward, runs it forward again with hooks on the last
convolution, runs a full backward pass from the highest logit, and draws Grad-CAM over the photo as a PNG. It is
correct: its answers are compared with those of the service before anything is measured. A lock around the network lets
it survive several requests at once, since the hooks and the gradients belong to the one network. PyTorch computes on
all cores. Nothing is done to make it slow, and nothing that such services usually leave out is added.

    python benchmarks/speed/naive_server.py model.pth --size 456 --port 5001
"""

from __future__ import annotations

import argparse
import base64
import io
import logging
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from PIL import Image, ImageOps, UnidentifiedImageError

from lesionlens.inference.threads import usable_cpus
from lesionlens.training.model import create_model

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
THRESHOLD = 0.5


def eager_grad_cam(
    model: torch.nn.Module, layer: torch.nn.Module, x: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run a network forward, forward again with hooks, and backward from the highest logit of each picture.

    Args:
        model: In evaluation mode.
        layer: The convolution at which Grad-CAM is taken.
        x: `[N, 3, S, S]`.

    Returns:
        Logits `[N, 8]`, and the map of the highest of each `[N, h, w]`, after the ReLU.
    """
    kept: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        logits = model(x)
    hooks = [
        layer.register_forward_hook(lambda *args: kept.update(activation=args[2])),
        layer.register_full_backward_hook(lambda *args: kept.update(gradient=args[2][0])),
    ]
    try:
        model.zero_grad()
        # Pictures do not touch each other in evaluation mode, so the sum's gradient is that of each.
        model(x).gather(1, logits.argmax(dim=1, keepdim=True)).sum().backward()
    finally:
        for hook in hooks:
            hook.remove()
    weights = kept["gradient"].mean(dim=(2, 3), keepdim=True)
    return logits, torch.relu((weights * kept["activation"]).sum(dim=1)).detach()


class NaiveGradCam:
    """The network and the lock around it.

    Args:
        weights: A state dict.
        architecture: timm name of the network.
        layer: Name of the convolution at which Grad-CAM is taken.
    """

    def __init__(self, weights: Path, architecture: str, layer: str) -> None:
        self._model = create_model(architecture)
        self._model.load_state_dict(torch.load(weights, weights_only=True))
        self._model.eval()
        self._layer = self._model.get_submodule(layer)
        self._lock = threading.Lock()

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the probabilities `[8]` of an input `[1, 3, S, S]`, and the map `[h, w]` of the highest."""
        with self._lock:
            logits, maps = eager_grad_cam(self._model, self._layer, x)
        return torch.softmax(logits, dim=1)[0], maps[0]


def to_tensor(photo: Image.Image, size: int) -> torch.Tensor:
    """Resize a photo without its aspect, and normalise it: float32 `[1, 3, size, size]`."""
    pixels = np.asarray(photo.resize((size, size), Image.Resampling.BILINEAR), dtype=np.float32) / 255.0
    normal = (pixels - np.array(MEAN, dtype=np.float32)) / np.array(STD, dtype=np.float32)
    return torch.from_numpy(normal.transpose(2, 0, 1).copy()).unsqueeze(0)


def jet(heat: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Colour values 0–1 with the JET map: float32 `[H, W]` to uint8 `[H, W, 3]`."""
    channels = [np.clip(1.5 - np.abs(4.0 * heat - centre), 0.0, 1.0) for centre in (3.0, 2.0, 1.0)]
    return (np.stack(channels, axis=-1) * 255.0 + 0.5).astype(np.uint8)


def draw(photo: Image.Image, class_map: npt.NDArray[np.float32], max_side: int) -> bytes:
    """Lay a map over a photo as the SkinTracker contract says, as a PNG of at most `max_side` pixels a side."""
    photo = photo.copy()
    photo.thumbnail((max_side, max_side), Image.Resampling.BILINEAR)
    low, high = class_map.min(), class_map.max()
    scaled = (class_map - low) / (high - low) if high > low else np.zeros_like(class_map)
    heat = Image.fromarray(scaled.astype(np.float32)).resize(photo.size, Image.Resampling.BILINEAR)
    stream = io.BytesIO()
    Image.blend(photo, Image.fromarray(jet(np.asarray(heat))), 0.4).save(stream, "PNG")
    return stream.getvalue()


def create_app(compute: NaiveGradCam, size: int, max_side: int = 512) -> Flask:
    """Make the service.

    Args:
        compute: The network.
        size: Side of its input in pixels.
        max_side: Longest side of a heatmap in pixels.
    """
    app = Flask(__name__)

    @app.get("/health")
    def health() -> ResponseReturnValue:
        return jsonify(status="healthy")

    @app.post("/predict")
    def predict() -> ResponseReturnValue:
        if "file" not in request.files:
            return jsonify(error="the part 'file' is missing"), 400
        try:
            photo = ImageOps.exif_transpose(Image.open(request.files["file"].stream)).convert("RGB")
        except UnidentifiedImageError:
            return jsonify(error="the file is no readable image"), 400
        probabilities, class_map = compute(to_tensor(photo, size))
        highest = float(probabilities.max())
        confident = highest >= THRESHOLD
        return jsonify(
            prediction=int(probabilities.argmax()) if confident else 8,
            probabilities=[*probabilities.tolist(), 0.0 if confident else 1.0],
            max_confidence=highest,
            gradcam=base64.b64encode(draw(photo, class_map.numpy(), max_side)).decode("ascii"),
        )

    return app


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--architecture", default="efficientnet_b5")
    parser.add_argument("--layer", default="conv_head")
    parser.add_argument("--size", type=int, default=456)
    parser.add_argument("--threads", type=int, default=usable_cpus())
    parser.add_argument("--port", type=int, default=5001)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    compute = NaiveGradCam(options.weights, options.architecture, options.layer)
    create_app(compute, options.size).run("127.0.0.1", options.port, threaded=True)


if __name__ == "__main__":
    main()
