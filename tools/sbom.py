"""Writes the bill of materials of the serving install: CycloneDX 1.6 as JSON.

    python -m tools.sbom dist/lesionlens.cdx.json

The same packages give the same bytes. Needs `pip install cyclonedx-bom` (the extra `audit`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tools.environment import CHECKOUT, serving_environment

__all__ = ["clean", "collect", "main"]

# Told on their project pages; their metadata name no licence.
_LICENCES: Final = {"protobuf": "BSD-3-Clause"}
# Where a file was fetched from says something of the machine that it was fetched by, and nothing of the file.
_LOCAL_REFERENCES: Final = frozenset({"distribution", "distribution-intake"})


def collect(python: Path) -> dict[str, Any]:
    """Return the bill of materials of an environment, validated against the schema of CycloneDX.

    Args:
        python: Its interpreter.

    Raises:
        subprocess.CalledProcessError: It could not be made, or is not valid; standard error says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sbom.json"
        options = ["--output-reproducible", "--validate", "--mc-type", "application", "--of", "JSON", "-o", str(file)]
        subprocess.run(  # noqa: S603 – nothing from outside
            [
                sys.executable,
                "-m",
                "cyclonedx_py",
                "environment",
                *options,
                "--pyproject",
                "pyproject.toml",
                str(python),
            ],
            check=True,
            cwd=CHECKOUT,
        )
        bill: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return bill


def clean(bill: dict[str, Any], version: str) -> dict[str, Any]:
    """Return a bill of materials with what the collector cannot know and without what is nobody's business.

    Args:
        bill: Of `collect`.
        version: Of LesionLens, which its pyproject.toml does not hold.
    """
    component = {**bill["metadata"]["component"], "version": version}
    tools = {"components": [_cleaned(tool) for tool in bill["metadata"]["tools"]["components"]]}
    metadata = {**bill["metadata"], "component": _cleaned(component), "tools": tools}
    return {**bill, "metadata": metadata, "components": [_cleaned(each) for each in bill["components"]]}


def _cleaned(component: dict[str, Any]) -> dict[str, Any]:
    kept = dict(component)
    references = [each for each in kept.pop("externalReferences", []) if each["type"] not in _LOCAL_REFERENCES]
    if references:
        kept["externalReferences"] = references
    if "licenses" not in kept and kept["name"] in _LICENCES:
        kept["licenses"] = [{"license": {"id": _LICENCES[kept["name"]], "acknowledgement": "concluded"}}]
    return kept


def main(arguments: list[str] | None = None) -> int:
    """Write the file that the command line names; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.sbom", description="Write what the serving install is made of."
    )
    parser.add_argument("file", type=Path, help="where to")
    parser.add_argument("--environment", type=Path, help="Python of an environment to look at instead of a new one")
    options = parser.parse_args(arguments)
    if find_spec("cyclonedx_py") is None:
        parser.error("cyclonedx-bom is missing: pip install -e '.[audit]'")
    with serving_environment(options.environment) as python:
        bill = clean(collect(python), _version())
    _validate(bill)
    options.file.parent.mkdir(parents=True, exist_ok=True)
    options.file.write_text(json.dumps(bill, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{options.file}: {len(bill['components'])} packages, CycloneDX {bill['specVersion']}, valid")
    return 0


def _version() -> str:
    names: dict[str, str] = {}
    exec((CHECKOUT / "src" / "lesionlens" / "version.py").read_text(encoding="utf-8"), names)  # noqa: S102 – our own
    return names["__version__"]


def _validate(bill: dict[str, Any]) -> None:
    """Hold what was changed since the collector's own check against the schema once more."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    version = SchemaVersion.from_version(bill["specVersion"])
    problem = JsonStrictValidator(version).validate_str(json.dumps(bill))
    if problem is not None:
        raise ValueError(f"the bill of materials is not valid: {problem}")


if __name__ == "__main__":
    sys.exit(main())
