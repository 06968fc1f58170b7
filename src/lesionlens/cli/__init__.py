"""The `lesionlens` command.

Each command lives in a module of its own and imports what it needs when it runs, so that `lesionlens --help` is quick
and the serving install never misses torch. Importing the modules here, in the order in which the help lists them,
registers their commands.
"""

from __future__ import annotations

# isort: off
from lesionlens.cli import (
    serve,
    classify,
    models,
    evaluate,
    data,
    train,
    average,
    export,
    calibrate,
    convert,
    quantise,
    doctor,
    loadtest,
    password,
    keys,
    tracker,
)

# isort: on
from lesionlens.cli.app import app

__all__ = [
    "app",
    "average",
    "calibrate",
    "classify",
    "convert",
    "data",
    "doctor",
    "evaluate",
    "export",
    "keys",
    "loadtest",
    "models",
    "password",
    "quantise",
    "serve",
    "tracker",
    "train",
]
