"""Damaged pictures do no harm. `make fuzz` throws a hundred thousand; here are the first of them.

The controls show that a campaign finds what it is to find.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from fuzz.bounds import Bounds
from fuzz.campaign import Report, run
from fuzz.controls import FAULTS, FAULTY
from fuzz.mutate import MUTATIONS, make_case
from fuzz.seeds import REAL_FOLDER, drawn_seeds, real_seeds
from fuzz.skeleton import find_skeleton
from lesionlens.errors import UnsupportedImageError
from lesionlens.imaging import decode
from lesionlens.imaging.formats import FORMATS, sniff

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the bounds are kept with Linux's timers and /proc")

INPUTS = 3000
REFUSED_KINDS = {"tiff-float", "tiff-group4"}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The first inputs, read."""
    return run("picture", 0, INPUTS, save=tmp_path_factory.mktemp("findings"))


def test_damaged_pictures_do_no_harm(campaign: Report) -> None:
    assert campaign.findings == [], campaign.findings
    assert campaign.inputs == INPUTS


def test_they_are_damaged_but_not_beyond_recognition(campaign: Report) -> None:
    """Else the campaign would show little: many must get past the first checks, and all kinds of end must occur."""
    assert sum(campaign.outcomes.values()) == INPUTS
    assert {"image", "CorruptImageError", "UnsupportedImageError", "TooManyPixelsError"} <= set(campaign.outcomes)
    assert campaign.outcomes["image"] > INPUTS / 10
    assert campaign.outcomes["UnsupportedImageError"] < INPUTS / 5


@pytest.mark.parametrize("name", sorted(drawn_seeds()))
def test_the_files_that_are_damaged_were_good(name: str) -> None:
    data = drawn_seeds()[name]
    skeleton = find_skeleton(data)
    assert skeleton.pieces
    assert skeleton.sides
    assert all(0 <= number.at < len(data) for number in skeleton.numbers if name.split("-")[0] != "bmp")
    if name in REFUSED_KINDS:
        with pytest.raises(UnsupportedImageError):
            decode(data)
    else:
        assert decode(data).width in (36, 48)


def test_every_format_and_every_kind_of_damage_occurs() -> None:
    cases = [make_case(number) for number in range(600)]
    assert {sniff(data).name for data in drawn_seeds().values()} == {each.name for each in FORMATS}
    made_of = Counter(case.name.partition(":")[0].partition("-")[0] for case in cases)
    assert set(made_of) >= {"jpeg", "png", "webp", "bmp", "tiff"}
    named = " ".join(case.name for case in cases)
    assert all(mutation.__name__.strip("_") in named for mutation in MUTATIONS)
    assert all(case.data not in drawn_seeds().values() for case in cases[:3])


def test_a_number_makes_the_same_input_in_every_process() -> None:
    program = "from fuzz.mutate import make_case; import hashlib; print(hashlib.sha256(make_case(12).data).hexdigest())"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONHASHSEED": "random"}
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_real_photos_are_damaged_too(shared_data: Path) -> None:
    assert shared_data == REAL_FOLDER
    assert len(real_seeds()) >= 20
    assert any(make_case(number).name.startswith("real-ISIC") for number in range(8))


@pytest.mark.parametrize("fault", FAULTS)
def test_each_kind_of_harm_is_found(fault: str, tmp_path: Path) -> None:
    bounds = Bounds(cpu_seconds=1.0, wall_seconds=3.0)
    report = run(f"control-{fault}", 0, FAULTY + 5, save=tmp_path, bounds=bounds)
    [finding] = report.findings
    assert (finding.number, finding.kind) == (FAULTY, FAULTS[fault][1])
    assert finding.detail
    assert finding.saved.read_bytes() == make_case(FAULTY).data
    assert report.inputs == FAULTY + 5  # those after it were read all the same
    assert sum(report.outcomes.values()) == report.inputs


def test_a_range_can_be_split_over_workers(tmp_path: Path) -> None:
    told: list[int] = []
    one = run("picture", 100, 60, save=tmp_path)
    two = run("picture", 100, 60, save=tmp_path, workers=2, progress=told.append)
    assert one.outcomes == two.outcomes
    assert sum(told) == 60


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fuzz", *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    done = command("--inputs", "40", "--first", "20", "--save", str(tmp_path / "found"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fuzz picture: 40 inputs in" in done.stdout
    assert done.stdout.rstrip().endswith("Found: nothing.")
    assert not (tmp_path / "found").exists()


def test_a_saved_input_can_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "saved").write_bytes(drawn_seeds()["png"])
    done = command("--file", str(tmp_path / "saved"))
    assert "fuzz picture: 1 inputs" in done.stdout
    assert "1 image" in done.stdout


def test_what_fails_in_the_harness_is_no_finding(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the worker failed"):
        run("control-no-such-fault", 0, 3, save=tmp_path)
