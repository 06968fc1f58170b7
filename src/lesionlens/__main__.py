"""`python -m lesionlens`, which is also what `torchrun -m lesionlens` starts."""

from lesionlens.cli import app

if __name__ == "__main__":
    app()
