"""SECURITY.md promises nothing without a test that shows it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SECURITY = Path(__file__).parent.parent / "SECURITY.md"
SECTIONS = SECURITY.read_text(encoding="utf-8").split("\n## ")[1:-1]  # the last says what is not promised


def test_there_are_statements() -> None:
    assert len(SECTIONS) >= 10


@pytest.mark.parametrize("section", SECTIONS, ids=[section.splitlines()[0].split(":")[0] for section in SECTIONS])
def test_each_statement_names_tests_that_exist(section: str, repo_root: Path) -> None:
    heading, _, table = section.partition("\n")
    file = re.search(r"`(tests/\S+\.py)`", heading)
    assert file is not None, heading
    tree = ast.parse((repo_root / file[1]).read_text(encoding="utf-8"))
    existing = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows
    for row in rows:
        named = re.findall(r"`(test_\w+)`", row.split("|")[-2])
        assert named, row
        assert set(named) <= existing, row
