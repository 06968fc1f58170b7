"""Parts of `benchmarks/endurance.py`."""
