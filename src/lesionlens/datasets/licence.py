"""What the ISIC 2019 pictures ask of those who use them, and of models trained on them."""

from __future__ import annotations

from typing import Final

__all__ = ["ISIC_2019_CITATIONS", "ISIC_2019_LICENCE"]

ISIC_2019_LICENCE: Final = "CC BY-NC 4.0"
"""Licence of the pictures: attribution, no commercial use."""

ISIC_2019_CITATIONS: Final = (
    "HAM10000: Tschandl P., Rosendahl C., Kittler H. The HAM10000 dataset, a large collection of multi-source "
    "dermatoscopic images of common pigmented skin lesions. Scientific Data 5, 180161 (2018). "
    "doi:10.1038/sdata.2018.161",
    "BCN20000: Combalia M., Codella N. C. F., Rotemberg V., et al. BCN20000: Dermoscopic Lesions in the Wild. "
    "arXiv:1908.02288 (2019).",
    "MSK: Codella N. C. F., Gutman D., Celebi M. E., et al. Skin Lesion Analysis Toward Melanoma Detection: A "
    "Challenge at the 2017 International Symposium on Biomedical Imaging (ISBI), Hosted by the International Skin "
    "Imaging Collaboration (ISIC). ISBI 2018. arXiv:1710.05006",
)
"""How to cite the pictures of ISIC 2019, which ask for it."""
