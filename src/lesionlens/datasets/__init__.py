"""Reading, splitting, fetching and checking dermoscopy data sets.

`lesionlens.datasets.folds` needs scikit-learn and is imported by its own name.
"""

from lesionlens.datasets.isic import ImageSource, Sample, read_samples

__all__ = ["ImageSource", "Sample", "read_samples"]
