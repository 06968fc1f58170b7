"""The parts of `benchmarks/change.py`: each measures one thing on real pictures and prints it."""
