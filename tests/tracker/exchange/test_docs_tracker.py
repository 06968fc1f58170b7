"""docs/tracker.md and docs/exchange.md tell the truth: their code and commands run, and what they name exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from filled_store import exported, unpacked
from typer.testing import CliRunner

from lesionlens import DISCLAIMER
from lesionlens.cli import app
from lesionlens.tracker import VIEWS, Tracker
from lesionlens.tracker.exchange.layout import SCHEMA_VERSION
from lesionlens.tracker.exchange.skintracker import JSON_LIMIT
from lesionlens.tracker.exchange.skintracker_record import GRAPH_TEXT
from synthetic import jpeg, lesion

DOCS = Path(__file__).parents[3] / "docs"
TRACKER, EXCHANGE = ((DOCS / name).read_text(encoding="utf-8") for name in ("tracker.md", "exchange.md"))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages speak of, and a store of its own."""
    (tmp_path / "mole.jpg").write_bytes(jpeg(lesion(1, 0, (300, 200))))
    (tmp_path / "skintracker.json").write_text('{"moles": []}')
    monkeypatch.setenv("LESIONLENS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_code_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [record], [exchange] = blocks(TRACKER, "python"), blocks(EXCHANGE, "python")
    exec(compile(record, "docs/tracker.md", "exec"), {})
    assert re.fullmatch(r"2\d{3}-\S+ \S+ 0\.\d+\n", capsys.readouterr().out)
    exec(compile(exchange, "docs/exchange.md", "exec"), {})
    assert capsys.readouterr().out == "1\n4 []\n"
    assert (folder / "moles.zip").is_file()
    assert len(list(folder.glob("*.pdf"))) == 1


def test_the_commands_run(folder: Path) -> None:
    with Tracker(folder / "data") as tracker:
        tracker.people.create("Ada")
    lines = [line for page in (EXCHANGE, TRACKER) for block in blocks(page, "sh") for line in block.splitlines()]
    ours = [
        shlex.split(line.replace("/media/backup", "."), comments=True)[1:]
        for line in lines
        if line.startswith("lesionlens ")
    ]
    assert len(ours) >= 12
    for arguments in ours:
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, (arguments, result.output)


def test_what_the_pages_name_is_there(tracker_files: set[str]) -> None:
    assert f"raises `schema_version` (now {SCHEMA_VERSION})" in EXCHANGE
    assert [block.strip() for block in blocks(EXCHANGE, "text")] == [GRAPH_TEXT]
    assert f"at most {JSON_LIMIT // 1024**2} MiB" in EXCHANGE
    rows = re.findall(r"^\| (`.*?) \| ", EXCHANGE.split("## What is in an export")[1].split("##")[0], re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert told == tracker_files
    named = re.search(r"one of nine maps of the body \((.*?)\)", TRACKER)
    assert named is not None
    assert len(VIEWS) == 9
    assert set(re.findall(r"`(\w+)`", named[1])) == {view for view in VIEWS if "_" not in view}


@pytest.fixture
def tracker_files(tmp_path: Path) -> set[str]:
    """The names in an export as the page writes them."""
    with Tracker(tmp_path / "named") as tracker:
        place = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.5)
        tracker.visits.add(place.id, jpeg(lesion(1, 0)))
        names = {re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", name) for name in unpacked(exported(tracker))}
    names = {re.sub(r"[0-9a-f]{64}", "SHA256", name) for name in names}
    return names - {"people/ID/report.pdf"} | {"report.pdf"}


@pytest.mark.parametrize("page", ["tracker.md", "exchange.md"])
def test_the_pages_warn_and_lead_on(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    plain = " ".join(text.split())
    assert "research tool, not a medical device" in plain
    assert DISCLAIMER.rsplit(". ", 1)[1] in plain
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert (DOCS / link).exists(), link
