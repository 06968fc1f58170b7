from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filled_store import changed, exported, imported, names, packed, unpacked
from places import analysis, photo

from lesionlens.errors import ExchangeFileError, InvalidRecordError
from lesionlens.imaging import Limits
from lesionlens.tracker import Tracker
from lesionlens.tracker.exchange import archive_reader
from lesionlens.tracker.ids import new_id

INDEX = b'{"format": "lesionlens-export", "schema_version": 1, "disclaimer": "", "counts": {}}'


@pytest.fixture(scope="module")
def export_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A small export: one person, one lesion, one visit with an analysis."""
    with Tracker(tmp_path_factory.mktemp("source")) as tracker:
        lesion = tracker.lesions.create(tracker.people.create("Ada").id, "back", 0.5, 0.25)
        tracker.visits.add(lesion.id, photo(), analysis=analysis())
        return unpacked(exported(tracker))


@pytest.fixture
def files(export_files: dict[str, bytes]) -> dict[str, bytes]:
    """The same, to be changed."""
    return dict(export_files)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Tracker]:
    """An empty store. On SQLite only: what a file may hold does not depend on the database."""
    with Tracker(tmp_path / "other") as opened:
        yield opened


def refused(tracker: Tracker, data: bytes) -> str:
    """Why a file is refused; nothing of it may be in the store."""
    with pytest.raises(ExchangeFileError) as caught:
        imported(tracker, data)
    assert tracker.counts().people == tracker.counts().photos == 0
    assert list(tracker.photos.files()) == []
    assert isinstance(caught.value, InvalidRecordError)
    assert caught.value.problems == (("file", str(caught.value)),)
    return str(caught.value)


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04", b"PK\x03\x04" + bytes(100), b"\x89PNG\r\n\x1a\n", b"{"])
def test_what_is_no_archive_is_refused(other: Tracker, data: bytes) -> None:
    assert refused(other, data)


def test_a_file_that_was_cut_short_is_refused(other: Tracker, files: dict[str, bytes]) -> None:
    data = packed(files)
    for length in (len(data) // 2, len(data) - 1, len(data) - 30):
        assert "damaged or cut short" in refused(other, data[:length])


@pytest.mark.parametrize(
    "name",
    ["../evil.json", "/etc/passwd", "people/../../x", "C:\\evil.json", "a\\..\\b", "photos/../../../x.jpg", ".."],
)
def test_names_that_lead_out_are_refused(other: Tracker, files: dict[str, bytes], name: str) -> None:
    assert "leads out of its folder" in refused(other, packed(files | {name: b"x"}))


def test_two_files_of_one_name_are_refused(other: Tracker, files: dict[str, bytes]) -> None:
    stream = io.BytesIO(packed(files))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("export.json", b"{}")
    assert "two files named 'export.json'" in refused(other, stream.getvalue())


def test_a_bomb_is_refused_before_it_is_unpacked(other: Tracker, files: dict[str, bytes]) -> None:
    bomb = {f"people/{new_id()}/person.json": bytes(30_000_000)}
    assert "more than 100 times" in refused(other, packed(files | bomb, zipfile.ZIP_DEFLATED))


def test_a_file_that_lies_of_its_size_is_not_read_beyond_it(other: Tracker, files: dict[str, bytes]) -> None:
    name = f"people/{new_id()}/person.json"
    data = bytearray(packed(files | {name: b" " * 5_000_000}, zipfile.ZIP_DEFLATED))
    # In the directory and before the file itself: five million bytes become ten.
    real, false = struct.pack("<I", 5_000_000), struct.pack("<I", 10)
    assert data.count(real) == 2
    done = imported(other, bytes(data.replace(real, false)))
    [skipped] = done.skipped
    assert skipped.what == f"file {name}"
    assert "damaged" in skipped.why
    assert done.people == 1


def test_a_directory_that_would_fill_the_memory_is_refused(other: Tracker, files: dict[str, bytes]) -> None:
    data = bytearray(packed(files))
    end = data.rfind(b"PK\x05\x06")
    struct.pack_into("<I", data, end + 12, 0x7FFFFFFF)
    assert "at most 2,000,000 are accepted" in refused(other, bytes(data))
    # The same in a ZIP64 end, which lies before the usual one.
    big = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 10**9, 10**9, 10**9, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    plain = packed(files)
    assert "holds 1,000,000,000 files" in refused(other, plain[:end] + big + locator + plain[end:])


def test_encrypted_and_unknown_compression_is_refused(other: Tracker, files: dict[str, bytes]) -> None:
    assert "compressed in a way" in refused(other, packed(files, zipfile.ZIP_BZIP2))
    data = bytearray(packed(files))
    data[data.find(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(other, bytes(data))


def test_other_archives_and_versions_are_refused(other: Tracker, files: dict[str, bytes]) -> None:
    del files["README.txt"]
    assert "no export of LesionLens: it has no export.json" in refused(other, packed({"a.txt": b"x"}))
    for index in (b"", b"[]", b"{", b'{"format": "other", "schema_version": 1}', b'{"format": "lesionlens-export"}'):
        assert "cannot be read" in refused(other, packed(files | {"export.json": index}))
    newer = b'{"format": "lesionlens-export", "schema_version": 2, "sky": "blue"}'
    assert "schema version 2; this LesionLens reads version 1" in refused(other, packed(files | {"export.json": newer}))
    odd = INDEX.replace(b'"counts": {}', b'"counts": 3')
    assert "counts: Input should be an object" in refused(other, packed(files | {"export.json": odd}))


@pytest.mark.parametrize("kind", ["person", "lesion", "visit"])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b"{}", b'{"id": 3}', b"[" * 100_000, b'{"id": "\\ud800"}']
)
def test_broken_records_are_told_and_the_rest_goes_on(
    other: Tracker, files: dict[str, bytes], kind: str, content: bytes
) -> None:
    [name] = names(files, kind)
    done = imported(other, packed(files | {name: content}))
    assert done.skipped[0].what == f"file {name}"
    assert len(done.skipped) == {"person": 3, "lesion": 2, "visit": 1}[kind]
    assert (done.people, done.lesions, done.visits) == {"person": (0, 0, 0), "lesion": (1, 0, 0), "visit": (1, 1, 0)}[
        kind
    ]
    assert list(other.photos.files()) == []


@pytest.mark.parametrize(
    ("kind", "change", "why"),
    [
        ("person", {"label": ""}, "label is ''; accepted: a text of 1–100 characters"),
        ("person", {"birth_year": 1700}, "birth_year is 1700"),
        ("person", {"sex": "x"}, "sex is 'x'"),
        ("person", {"admin": True}, "admin: Extra inputs are not permitted"),
        ("person", {"created_at": "2024-01-01"}, "created_at: Input should"),
        ("person", {"created_at": "2024-01-01T00:00:00"}, "created_at: Input should have timezone info"),
        ("person", {"created_at": "0001-01-01T00:00:00+12:00"}, "the year is out of range"),
        ("person", {"id": "01a20863-429b-74e5-be6a-11868d3445d0"}, "not the one in its name"),
        ("lesion", {"x": 1.5}, "x is 1.5; accepted: a share of the map's width, 0–1"),
        ("lesion", {"view": "inside"}, "view is 'inside'"),
        ("lesion", {"person_id": "../../x"}, "person_id: Value error, not a lower-case UUID"),
        ("lesion", {"note": "nul\0"}, "note is"),
        ("visit", {"taken_at": "2150-01-01T00:00:00Z"}, "taken_at is"),
        ("visit", {"taken_at": 5}, "taken_at: Input should"),
        ("visit", {"note": "x" * 10_001}, "accepted: a text of at most 10,000 characters"),
        ("visit", {"lesion_id": "01a20863-429b-74e5-be6a-11868d3445d0"}, "there is no lesion"),
    ],
)
def test_values_that_are_not_accepted_are_told(
    other: Tracker, files: dict[str, bytes], kind: str, change: dict[str, Any], why: str
) -> None:
    [name] = names(files, kind)
    done = imported(other, packed(changed(files, name, lambda document: document.update(change))))
    assert why in done.skipped[0].why
    assert done.visits == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"probabilities": [0.1] * 7}, "probabilities is"),
        ({"probabilities": [2.0] * 8}, "probabilities is"),
        ({"prediction": 9}, "prediction is 9; accepted: a class index, 0–8"),
        ({"quality": {"x": float("nan")}}, "quality is"),
        ({"model": ""}, "model is ''"),
        ({"maps": {"height": 2, "width": 2, "values": "AAAA"}}, "3 bytes where (8, 2, 2) float32 values take 128"),
        ({"maps": {"height": 2, "width": 2, "values": "%%%"}}, "no base64"),
    ],
)
def test_an_analysis_that_is_not_accepted_is_left_out_alone(
    other: Tracker, files: dict[str, bytes], change: dict[str, Any], why: str
) -> None:
    [name] = names(files, "visit")
    done = imported(other, packed(changed(files, name, lambda visit: visit["analyses"][0].update(change))))
    [skipped] = done.skipped
    assert why in skipped.why
    assert (done.visits, done.analyses) == (1, 0)


@pytest.mark.parametrize(("height", "width"), [(0, 2), (5000, 2), (-1, -1)])
def test_maps_of_impossible_sides_make_a_visit_unreadable(
    other: Tracker, files: dict[str, bytes], height: int, width: int
) -> None:
    [name] = names(files, "visit")
    maps = {"height": height, "width": width, "values": base64.b64encode(bytes(64)).decode()}
    done = imported(other, packed(changed(files, name, lambda visit: visit["analyses"][0].update(maps=maps))))
    assert "analyses.0.maps" in done.skipped[0].why


def test_photos_are_checked(other: Tracker, files: dict[str, bytes]) -> None:
    [name] = [name for name in files if name.startswith("photos/")]
    for content, why in ((photo(1), "do not match its name"), (b"", "do not match its name")):
        done = imported(other, packed(files | {name: content}))
        assert why in done.skipped[0].why
        assert (done.visits, done.photos) == (0, 0)
        assert list(other.photos.files()) == []
    del files[name]
    assert "is not in the file" in imported(other, packed(files)).skipped[0].why


def test_what_is_no_picture_is_no_photo(other: Tracker, files: dict[str, bytes]) -> None:
    data = b"GIF89a no picture that is accepted"
    sha256 = hashlib.sha256(data).hexdigest()
    [name] = names(files, "visit")
    forged = changed(files, name, lambda visit: visit["photo"].update(sha256=sha256)) | {f"photos/{sha256}.jpg": data}
    [skipped] = imported(other, packed(forged)).skipped
    assert "accepted: JPEG" in skipped.why
    assert list(other.photos.files()) == []


def test_another_photo_under_a_known_visit_is_told(other: Tracker, files: dict[str, bytes]) -> None:
    imported(other, packed(files))
    sha256 = hashlib.sha256(photo(1)).hexdigest()
    [name] = names(files, "visit")
    forged = changed(files, name, lambda v: v["photo"].update(sha256=sha256)) | {f"photos/{sha256}.jpg": photo(1)}
    done = imported(other, packed(forged))
    assert "shows another photo here" in done.skipped[0].why
    assert unpacked(exported(other)) == files


def test_a_photo_beyond_the_stores_limit_is_told(files: dict[str, bytes], tmp_path: Path) -> None:
    with Tracker(tmp_path / "small", limits=Limits(max_bytes=100)) as small:
        [skipped] = imported(small, packed(files)).skipped
        assert "more than 100 bytes" in skipped.why


def test_a_json_file_beyond_the_limit_is_not_read(
    other: Tracker, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lesionlens.tracker.exchange.layout.JSON_LIMIT", 1000)
    [skipped] = imported(other, packed(files)).skipped
    assert "more than 1,000 bytes" in skipped.why


def test_more_files_than_accepted_are_refused(
    other: Tracker, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_reader, "MAX_ENTRIES", 3)
    assert "at most 3 are accepted" in refused(other, packed(files))


def test_no_damage_gets_past_the_reader(files: dict[str, bytes]) -> None:
    """Bytes changed at random, mostly where the ZIP describes itself: refused, or read, and nothing else."""
    small = {name: content for name, content in files.items() if name.endswith((".json", ".txt"))}
    whole = packed(small, zipfile.ZIP_DEFLATED)
    directory = whole.find(b"PK\x01\x02")
    chance, refused_whole, damaged, read = random.Random(0), 0, 0, 0
    for _ in range(600):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(directory if chance.random() < 0.7 else 0, len(data))] = chance.randrange(256)
        try:
            with archive_reader.ArchiveReader(io.BytesIO(bytes(data))) as archive:
                for name in archive.names:
                    try:
                        archive.read(name, 1_000_000)
                        read += 1
                    except ValueError:
                        damaged += 1
        except ExchangeFileError:
            refused_whole += 1
    assert min(refused_whole, damaged, read) > 50


def test_the_schema_is_the_documented_one(files: dict[str, bytes]) -> None:
    """Whoever changes a member must raise the schema version: old programs refuse what they do not know."""
    [person], [lesion], [visit] = (names(files, kind) for kind in ("person", "lesion", "visit"))
    kept = ["id", "created_at", "updated_at", "deleted_at"]
    assert list(json.loads(files[person])) == [*kept, "label", "birth_year", "sex", "skin_type", "note"]
    assert list(json.loads(files[lesion])) == [
        *kept, "person_id", "view", "x", "y", "site", "note", "colour", "reminder_months",
    ]  # fmt: skip
    document = json.loads(files[visit])
    assert list(document) == [*kept, "lesion_id", "taken_at", "note", "photo", "analyses"]
    assert list(document["photo"]) == ["sha256", "media_type", "width", "height", "byte_size", "created_at"]
    assert list(document["analyses"][0]) == [
        "id", "model", "version", "graph_sha256", "engine", "prediction", "probabilities", "logits",
        "malignant_probability", "seen_box", "prediction_set", "suitability", "quality", "maps", "created_at",
    ]  # fmt: skip
    assert list(document["analyses"][0]["maps"]) == ["height", "width", "values"]
