"""Does the answer depend on the heat? Insertion and deletion curves (Petsiuk et al. 2018, *RISE*, BMVC).

Deletion takes pixels away, the hottest first, and watches the probability fall; insertion starts from a blurred picture
and puts its pixels back, the hottest first, and watches it rise. A faithful map gives a small area under the deletion
curve and a large one under the insertion curve. What takes the place of a pixel: in deletion the picture's mean colour
(RISE: one grey for all pictures, which on skin is itself an odd sight), in insertion the picture under a Gaussian blur.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

__all__ = ["BLUR_SIGMA", "STEPS", "Curves", "area_under", "curves_of", "removal_ranks"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

STEPS: Final = 20
BLUR_SIGMA: Final = 0.1
"""Standard deviation of the blur as a share of the side. RISE's 5 px of 224 leaves a lesion perfectly recognisable."""


class Curves(NamedTuple):
    """The probability of one class while pixels come back, and while they go.

    Attributes:
        insertion: float64 `[steps + 1]`, from the blurred picture to the picture.
        deletion: float64 `[steps + 1]`, from the picture to its mean colour.
    """

    insertion: Doubles
    deletion: Doubles


def area_under(curve: Doubles) -> float:
    """Return the area under a curve over the share of pixels 0–1, trapezoidal: 0–1 for probabilities."""
    return float(np.trapezoid(curve, dx=1.0 / (len(curve) - 1)))


def removal_ranks(heat: npt.NDArray[np.floating], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Number the pixels by falling heat.

    Args:
        heat: `[H, W]`.
        rng: Decides among equal heat. The order of memory would take the cold part of a map away row by row, and
            give the map credit or blame for a wipe from the top.

    Returns:
        int64 `[H, W]`, 0 for the hottest pixel.
    """
    flat = heat.ravel()
    ranks = np.empty(flat.size, dtype=np.int64)
    ranks[np.lexsort((rng.random(flat.size), -flat))] = np.arange(flat.size)
    return ranks.reshape(heat.shape)


def curves_of(
    tensor: Floats,
    heats: Mapping[str, npt.NDArray[np.floating]],
    probability: Callable[[Floats], npt.NDArray[np.floating]],
    rng: np.random.Generator,
    *,
    steps: int = STEPS,
    blur_sigma: float = BLUR_SIGMA,
    batch_size: int = 16,
) -> dict[str, Curves]:
    """Measure the curves of several maps of one picture.

    Args:
        tensor: float32 `[3, S, S]`, the network's input.
        heats: Maps `[S, S]` by name; the order of their values is all that counts.
        probability: From float32 `[N, 3, S, S]` to the probability `[N]` of the class in question.
        rng: Decides among equal heat.
        steps: Number of equal steps from no pixel to all of them, 1 or more.
        blur_sigma: Standard deviation of the insertion's blur as a share of S.
        batch_size: Pictures per call of `probability`.

    Returns:
        The curves of each map.
    """
    side = tensor.shape[-1]
    blurred = gaussian_filter(tensor, sigma=(0.0, blur_sigma * side, blur_sigma * side), mode="nearest")
    mean = np.broadcast_to(tensor.mean(axis=(1, 2), keepdims=True), tensor.shape)
    ranks = {name: removal_ranks(heat, rng) for name, heat in heats.items()}
    counts = np.rint(np.linspace(0.0, 1.0, steps + 1) * side * side).astype(np.int64)[1:-1]

    def pictures() -> Iterator[Floats]:
        yield from (tensor, blurred, mean)  # the ends of all curves
        for rank in ranks.values():
            yield from (_mixed(tensor, blurred, rank < count) for count in counts)
            yield from (_mixed(mean, tensor, rank < count) for count in counts)

    waiting, answered = pictures(), []
    while some := list(islice(waiting, batch_size)):  # all at once would take 300 MB at 456 px
        answered.append(probability(np.stack(some)))
    answers = np.concatenate(answered)
    (whole, faint, bare), inner = answers[:3], answers[3:].reshape(len(ranks), 2, len(counts)).astype(np.float64)
    return {
        name: Curves(
            insertion=np.concatenate([[faint], insertion, [whole]]),
            deletion=np.concatenate([[whole], deletion, [bare]]),
        )
        for name, (insertion, deletion) in zip(ranks, inner, strict=True)
    }


def _mixed(inside: Floats, outside: Floats, where: Bools) -> Floats:
    return np.where(where, inside, outside)
