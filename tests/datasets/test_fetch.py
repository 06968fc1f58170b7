"""Whole collections from a real server into a folder: unpacked, recorded, never done twice."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from file_server import FileServer, serve
from lesionlens.datasets.catalogue import BASE_URL, COLLECTIONS, Collection, RemoteFile
from lesionlens.datasets.fetch import LEDGER_NAME, fetch
from lesionlens.datasets.unpack import unpack
from lesionlens.errors import DataError

CSV = b"image,MEL,NV\r\nISIC_1,1.0,0.0\r\nISIC_2,0.0,1.0\r\n"
PICTURES = {
    "Input/ISIC_1.jpg": b"\xff\xd8one" * 900,
    "Input/ISIC_2.jpg": b"\xff\xd8two" * 900,
    "Input/LICENSE.txt": b"x",
}
TOO_MUCH = 10**18


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


ZIP = zipped({"__MACOSX/Input/._ISIC_1.jpg": b"fork", **PICTURES})
SMALL = Collection(
    name="small",
    title="Two pictures",
    files=(
        RemoteFile("2019/Truth.csv", size=len(CSV)),
        RemoteFile("2019/Input.zip", size=len(ZIP), md5=hashlib.md5(ZIP).hexdigest()),
    ),
    licence="CC BY-NC 4.0",
    licence_url="https://creativecommons.org/licenses/by-nc/4.0/",
    terms="",
    citations=("Somebody et al.",),
)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serve(FileServer({"/2019/Truth.csv": CSV, "/2019/Input.zip": ZIP})) as running:
        yield running


@pytest.fixture
def get(server: FileServer, tmp_path: Path) -> Callable[..., dict[str, str]]:
    def run(collection: Collection = SMALL, **options: object) -> dict[str, str]:
        return dict(fetch(collection, tmp_path, base_url=f"{server.url}/", backoff_s=0.01, **options))  # type: ignore[arg-type]

    return run


def ledger(folder: Path) -> dict[str, dict[str, object]]:
    files: dict[str, dict[str, object]] = json.loads((folder / LEDGER_NAME).read_text())["files"]
    return files


def test_a_collection_lies_unpacked_and_recorded(get: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    assert get() == {"Truth.csv": "fetched", "Input.zip": "fetched"}
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()} == {
        "Truth.csv",
        LEDGER_NAME,
        *PICTURES,
    }
    assert all((tmp_path / name).read_bytes() == data for name, data in PICTURES.items())
    assert ledger(tmp_path)["Truth.csv"]["sha256"] == hashlib.sha256(CSV).hexdigest()
    assert ledger(tmp_path)["Input.zip"]["sha256"] == hashlib.sha256(ZIP).hexdigest()
    assert json.loads((tmp_path / LEDGER_NAME).read_text())["citations"] == ["Somebody et al."]


def test_a_second_call_asks_the_server_for_nothing(get: Callable[..., dict[str, str]], server: FileServer) -> None:
    get()
    server.requests.clear()
    assert get() == {"Truth.csv": "already there", "Input.zip": "already there"}
    assert server.requests == []


def test_lost_pictures_are_fetched_again_and_the_rest_is_left_alone(
    get: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    get()
    kept, lost = tmp_path / "Input/ISIC_1.jpg", tmp_path / "Input/ISIC_2.jpg"
    written = kept.stat().st_mtime_ns
    lost.unlink()
    assert get() == {"Truth.csv": "already there", "Input.zip": "fetched"}
    assert lost.read_bytes() == PICTURES["Input/ISIC_2.jpg"]
    assert kept.stat().st_mtime_ns == written


def test_an_interrupted_collection_goes_on(
    get: Callable[..., dict[str, str]], server: FileServer, tmp_path: Path
) -> None:
    server.drops = deque([len(CSV), 40])
    with pytest.raises(DataError, match="broke off 1 times"):
        get(attempts=1)
    assert get() == {"Truth.csv": "already there", "Input.zip": "fetched"}
    assert server.requests[-1] == ("/2019/Input.zip", "bytes=40-")
    assert (tmp_path / "Input/ISIC_1.jpg").read_bytes() == PICTURES["Input/ISIC_1.jpg"]


def test_archives_stay_if_asked(get: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    get(keep_archives=True)
    assert (tmp_path / "Input.zip").read_bytes() == ZIP


def test_an_archive_that_somebody_put_there_is_taken(
    get: Callable[..., dict[str, str]], server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "Input.zip").write_bytes(ZIP)
    get()
    assert [path for path, _ in server.requests] == ["/2019/Truth.csv"]
    assert (tmp_path / "Input/ISIC_1.jpg").is_file()


def test_another_file_of_that_name_is_neither_taken_nor_overwritten(
    get: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "Truth.csv").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"its size is 4, expected \d+\. Move it away"):
        get()
    assert (tmp_path / "Truth.csv").read_bytes() == b"mine"


def test_a_file_that_is_not_that_of_the_first_download_is_refused(
    get: Callable[..., dict[str, str]], server: FileServer, tmp_path: Path
) -> None:
    get()
    (tmp_path / "Truth.csv").unlink()
    server.files["/2019/Truth.csv"] = CSV.replace(b"1.0,0.0", b"0.0,1.0")  # as long as the first
    with pytest.raises(DataError, match="its SHA-256 is"):
        get()
    assert not (tmp_path / "Truth.csv").exists()


def test_a_wrong_checksum_is_refused(get: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    truth, archive = SMALL.files
    with pytest.raises(DataError, match=r"Input\.zip arrived damaged or is another file: its MD5"):
        get(replace(SMALL, files=(truth, replace(archive, md5="0" * 32))))
    assert not (tmp_path / "Input").exists()


def test_a_damaged_archive_is_found_by_its_crc(get: Callable[..., dict[str, str]], server: FileServer) -> None:
    damaged = bytearray(ZIP)
    damaged[ZIP.index(b"Input/ISIC_1.jpg") + 20] ^= 0xFF  # inside the first picture's packed bytes
    server.files["/2019/Input.zip"] = bytes(damaged)
    truth, archive = SMALL.files
    with pytest.raises(DataError, match=r"Input\.zip cannot be unpacked"):
        get(replace(SMALL, files=(truth, replace(archive, md5=None))))


def test_a_disk_that_is_too_small_is_noticed_before_the_first_byte(
    get: Callable[..., dict[str, str]], server: FileServer
) -> None:
    with pytest.raises(DataError, match=r"GB free, but 2000000000\.0 GB more are needed"):
        get(replace(SMALL, files=(RemoteFile("2019/Input.zip", size=TOO_MUCH),)))
    assert server.requests == []


def test_a_damaged_record_is_not_silently_replaced(get: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    (tmp_path / LEDGER_NAME).write_text('{"files": {"Truth.csv": 3}}')
    with pytest.raises(DataError, match="is damaged"):
        get()


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot make the folder"):
        fetch(SMALL, tmp_path / "file" / "folder")


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/etc/evil.txt", "a/../../evil.txt", "C:\\evil.txt", "a\\..\\evil.txt"]
)
def test_a_name_that_leaves_the_folder_unpacks_nothing(tmp_path: Path, name: str) -> None:
    archive, folder = tmp_path / "evil.zip", tmp_path / "in" / "folder"
    folder.mkdir(parents=True)
    archive.write_bytes(zipped({"fine.txt": b"fine", name: b"evil"}))
    with pytest.raises(DataError, match="not safe to unpack"):
        unpack(archive, folder)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [archive]


def test_links_and_repeated_names_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="'link' is a link"):
        unpack(tmp_path / "link.zip", tmp_path)
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "2")
    with pytest.raises(DataError, match="two files of one name"):
        unpack(tmp_path / "twice.zip", tmp_path)


def test_what_is_no_zip_says_so(tmp_path: Path) -> None:
    (tmp_path / "page.zip").write_text("<html>Sign in</html>")
    with pytest.raises(DataError, match=r"page\.zip cannot be unpacked: File is not a zip file"):
        unpack(tmp_path / "page.zip", tmp_path)


def test_a_folder_in_the_way_of_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"name": b"data"}))
    (tmp_path / "name").mkdir()
    with pytest.raises(DataError, match=r"cannot unpack a\.zip"):
        unpack(tmp_path / "a.zip", tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "name"]


def test_the_official_files_have_the_sizes_of_those_beside_the_checkout(shared_data: Path) -> None:
    # They are kept here with other line ends: the archive's own have a carriage return more in each line.
    for remote in COLLECTIONS["isic2019"].files:
        if not remote.is_archive:
            data = (shared_data / remote.name).read_bytes()
            assert len(data) + data.count(b"\n") - data.count(b"\r\n") == remote.size


def test_the_catalogue_names_licence_and_sources() -> None:
    assert BASE_URL.startswith("https://")
    for name, collection in COLLECTIONS.items():
        assert collection.name == name
        assert collection.licence == "CC BY-NC 4.0"
        assert any("HAM10000" in citation for citation in collection.citations)
        assert len({f.name for f in collection.files}) == len(collection.files)
