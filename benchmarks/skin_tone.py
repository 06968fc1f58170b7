"""How well the rim of a picture gives its skin: against the skin outside the drawn outlines of the lesions.

The reference is the median colour outside the outline, widened by a tenth of the picture; the baseline is the median of
the whole picture. Needs the `evaluate` extra and a data folder with pictures and lesion masks.

    python benchmarks/skin_tone.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
from scipy import ndimage

from lesionlens.datasets import ImageSource, read_samples
from lesionlens.datasets.masks import MaskSource
from lesionlens.evaluation.groups.tone import tone_classes, typology_angle
from lesionlens.evaluation.run import choose
from lesionlens.imaging import decode
from lesionlens.imaging.cielab import to_cielab


def angle(colours: np.ndarray) -> float:
    """Return the typology angle of the median of CIELAB colours `[N, 3]`; NaN without any."""
    if len(colours) == 0:
        return math.nan
    lightness, _, yellow = np.median(colours, axis=0)
    return math.degrees(math.atan2(lightness - 50.0, yellow))


def main() -> None:
    """Print the errors in degrees and how often the class is the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    source, masks = ImageSource(options.data), MaskSource(options.data)
    samples = choose([s for s in read_samples(options.data) if s.image in masks], options.fold, options.limit)
    rows = []
    for sample in samples:
        picture = decode(source.read(sample.image)).image
        lesion, lab = masks.read(sample.image), to_cielab(np.asarray(picture))
        skin = lab[~ndimage.binary_dilation(lesion, iterations=picture.width // 10) & (lab[..., 0] > 12.0)]
        if len(skin) > 0.1 * lesion.size:
            rows.append((angle(skin), typology_angle(picture), angle(lab.reshape(-1, 3))))
    reference, rim, whole = np.array(rows, dtype=np.float32).T
    print(f"{len(rows)} of {len(samples)} pictures have skin outside the outline to compare with")
    for name, found in (("whole picture", whole), ("rim", rim)):
        known = ~np.isnan(found)
        errors, same = np.abs(found - reference)[known], tone_classes(found) == tone_classes(reference)
        print(
            f"{name:14} error {np.median(errors):4.1f}° (median), {np.mean(errors):4.1f}° (mean), "
            f"{np.quantile(errors, 0.95):4.1f}° (95 %); same class {same.mean():.1%}; no estimate {(~known).mean():.1%}"
        )


if __name__ == "__main__":
    main()
