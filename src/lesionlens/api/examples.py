"""Real answers, shown in the API reference: photo ISIC_0024306 of HAM10000, a nevus.

Shortened: of the map only the first row is left, of the picture only the beginning.
"""

from __future__ import annotations

from typing import Any, Final

from lesionlens import DISCLAIMER

__all__ = ["ANALYSIS", "PREDICTION", "PROBLEM"]

ANALYSIS: Final[dict[str, Any]] = {
    "id": "9fa96b81-831a-4e7f-aeee-8d7e5ed341d8",
    "model": {
        "name": "lite2",
        "version": "0.0.1",
        "sha256": "7ab83d9a16fb7e4da3b1d8ae298bc0f2079dcaf4807e217ceb2862965c6bd594",
        "architecture": "tf_efficientnet_lite2",
        "engine": "onnxruntime",
    },
    "prediction": {
        "index": 8,
        "code": "NOT_CONFIDENT",
        "name": "Not confident",
        "description": "No diagnosis reached the confidence threshold; the model does not know.",
        "malignant": None,
    },
    "confident": False,
    "confidence": {"rule": "max_probability", "threshold": 0.5, "max_probability": 0.39772504568099976},
    "most_probable": {
        "index": 4,
        "code": "BKL",
        "name": "Benign keratosis",
        "description": "A harmless growth of the outer skin, such as a seborrhoeic keratosis or a sun spot.",
        "malignant": False,
    },
    "probabilities": {
        "MEL": 0.01292069535702467,
        "NV": 0.26222917437553406,
        "BCC": 0.19661834836006165,
        "AKIEC": 0.012781885452568531,
        "BKL": 0.39772504568099976,
        "DF": 0.033858515322208405,
        "VASC": 0.027462927624583244,
        "SCC": 0.05640341341495514,
    },
    "malignancy": {"probability": 0.27872434258461, "operating_points": []},
    "photo": {"width": 256, "height": 256, "format": "JPEG"},
    "seen_box": {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0},
    "maps": {
        "BKL": {
            "height": 7,
            "width": 7,
            "values": [[0.103953, 0.160877, 0.157622, 0.14151, 0.0864082, 0.0483871, 0.0571086]],
        }
    },
    "overlays": None,
    "timings_ms": {
        "upload": 0.55,
        "decode": 17.83,
        "queue": 2.42,
        "inference": 85.28,
        "overlay": 0.01,
        "total": 106.37,
    },
    "disclaimer": DISCLAIMER,
}

PREDICTION: Final[dict[str, Any]] = {
    "prediction": 8,
    "probabilities": [
        0.01292069535702467,
        0.26222917437553406,
        0.19661834836006165,
        0.012781885452568531,
        0.39772504568099976,
        0.033858515322208405,
        0.027462927624583244,
        0.05640341341495514,
        1.0,
    ],
    "max_confidence": 0.39772504568099976,
    "gradcam": "iVBORw0KGgoAAAANSUhEUgAAAQAAAAEA…",
}

PROBLEM: Final[dict[str, Any]] = {
    "type": "/v1/problems/unsupported-image",
    "title": "Not a photo in an accepted format",
    "status": 415,
    "detail": "GIF files are not accepted; accepted: JPEG, PNG, WebP, BMP, TIFF.",
    "instance": "/v1/analyses",
    "request_id": "e6bbea2a55c746b8b700503e1bfaa9e3",
}
