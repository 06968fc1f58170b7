"""Whether a model tells pictures that it should not judge from dermoscopic ones."""
