"""Real answers, shown in the API reference: photo ISIC_0024306 of HAM10000, a nevus.

Shortened: of the map only the first row is left, of the picture only the beginning.
"""

from __future__ import annotations

from typing import Any, Final

from lesionlens import DISCLAIMER

__all__ = ["ANALYSIS", "PREDICTION", "PROBLEM"]

ANALYSIS: Final[dict[str, Any]] = {
    "id": "4635b8db-d49f-4616-ae75-62c25e36c283",
    "model": {
        "name": "lite2",
        "version": "1.0.0",
        "sha256": "4560dc58c996027b64e5243f68267bd475e3cbaeb00114b11c309e0e9d592b29",
        "architecture": "tf_efficientnet_lite2",
        "engine": "onnxruntime",
    },
    "prediction": {
        "index": 1,
        "code": "NV",
        "name": "Melanocytic nevus",
        "description": "A common mole: a harmless cluster of pigment cells.",
        "malignant": False,
    },
    "confident": True,
    "confidence": {"rule": "max_probability", "threshold": 0.5, "max_probability": 0.9563559293746948},
    "most_probable": {
        "index": 1,
        "code": "NV",
        "name": "Melanocytic nevus",
        "description": "A common mole: a harmless cluster of pigment cells.",
        "malignant": False,
    },
    "probabilities": {
        "MEL": 0.0018414934165775776,
        "NV": 0.9563559293746948,
        "BCC": 0.0043458277359604836,
        "AKIEC": 0.00945357047021389,
        "BKL": 0.004567891359329224,
        "DF": 0.01216946728527546,
        "VASC": 0.00442087184637785,
        "SCC": 0.006844956427812576,
    },
    "malignancy": {
        "probability": 0.022485848516225815,
        "operating_points": [
            {
                "name": "sensitivity_90",
                "threshold": 0.30243727564811707,
                "sensitivity": 0.900804289544236,
                "specificity": 0.7136150234741784,
                "measured_on": "1012 pictures of folds 1, 2, 3, 4 kept out of training",
                "reached": False,
            },
            {
                "name": "sensitivity_95",
                "threshold": 0.1874077171087265,
                "sensitivity": 0.9517426273458445,
                "specificity": 0.6087636932707355,
                "measured_on": "1012 pictures of folds 1, 2, 3, 4 kept out of training",
                "reached": False,
            },
        ],
    },
    "photo": {"width": 256, "height": 256, "format": "JPEG"},
    "seen_box": {"left": 0.0, "top": 0.0, "right": 1.0, "bottom": 1.0},
    "maps": {"NV": {"height": 7, "width": 7, "values": [[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]]}},
    "overlays": None,
    "timings_ms": {"upload": 0.56, "decode": 4.31, "queue": 0.92, "inference": 8.25, "overlay": 0.02, "total": 14.31},
    "disclaimer": DISCLAIMER,
}

PREDICTION: Final[dict[str, Any]] = {
    "prediction": 1,
    "probabilities": [
        0.0018414934165775776,
        0.9563559293746948,
        0.0043458277359604836,
        0.00945357047021389,
        0.004567891359329224,
        0.01216946728527546,
        0.00442087184637785,
        0.006844956427812576,
        0.0,
    ],
    "max_confidence": 0.9563559293746948,
    "gradcam": "iVBORw0KGgoAAAANSUhEUgAAAQAAAAEA…",
}

PROBLEM: Final[dict[str, Any]] = {
    "type": "/v1/problems/unsupported-image",
    "title": "Not a photo in an accepted format",
    "status": 415,
    "detail": "GIF files are not accepted; accepted: JPEG, PNG, WebP, BMP, TIFF.",
    "instance": "/v1/analyses",
    "request_id": "0afd9b88425540cb84e1594c7b251251",
}
