"""The parts of `benchmarks/floor.py`: what a graph asks for, what the machine can do, and what bounds each layer."""
