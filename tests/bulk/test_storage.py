"""Places of pictures: paths, and URLs as fsspec reads them; the real file systems, none of them pretended."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import uuid
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lesionlens import Classifier
from lesionlens.bulk import classify_files, find_pictures
from lesionlens.bulk.heatmaps import HeatmapNames
from lesionlens.bulk.storage import as_place, file_system, located, name_of, read, write
from lesionlens.errors import BulkError, EmptyImageError, ImageTooLargeError
from lesionlens.imaging import Limits

fsspec = pytest.importorskip("fsspec", reason="URLs need fsspec, which the extras ray, s3 and gcs install")

LIMITS = Limits(max_bytes=100)


@pytest.fixture
def memory() -> Iterator[str]:
    """An empty folder of fsspec's file system in memory."""
    url = f"memory://{uuid.uuid4().hex}"
    yield url
    system, path = file_system(url)
    if system.exists(path):
        system.rm(path, recursive=True)


def test_a_url_is_what_begins_with_a_scheme() -> None:
    assert as_place("s3://bucket/a//b.jpg") == "s3://bucket/a//b.jpg"
    assert as_place("zip://a.jpg::s3://bucket/photos.zip") == "zip://a.jpg::s3://bucket/photos.zip"
    for path in ("photos/a.jpg", "a::b.jpg", "C:photo.jpg", "-"):
        assert as_place(path) == Path(path)
    assert as_place("file:///photos/a.jpg") == Path("/photos/a.jpg")
    assert as_place(str(Path("http://x"))) == Path("http:/x")  # no path ever looks like a URL


def test_relative_paths_begin_at_the_base_and_urls_do_not() -> None:
    assert located(Path("a.jpg"), "/base") == Path("/base/a.jpg")
    assert located(Path("/b/a.jpg"), "/base") == Path("/b/a.jpg")
    assert located("s3://b/a.jpg", "/base") == "s3://b/a.jpg"
    assert located(Path("a.jpg"), "") == Path("a.jpg")


def test_names_are_the_last_part() -> None:
    assert name_of(Path("x/a.jpg")) == name_of("s3://b/x/a.jpg") == name_of("zip://x/a.jpg::gs://b/p.zip") == "a.jpg"


def test_bytes_come_back(memory: str, tmp_path: Path) -> None:
    for place in (tmp_path / "made" / "a", f"{memory}/made/a"):
        write(place, b"x" * 100)
        assert read(place, LIMITS) == b"x" * 100
        write(place, b"x" * 101)
        with pytest.raises(ImageTooLargeError):
            read(place, LIMITS)
        write(place, b"")
        with pytest.raises(EmptyImageError):
            read(place, LIMITS)


def test_how_large_a_file_is_is_told_without_reading_it(memory: str) -> None:
    write(f"{memory}/large", bytes(3 * 1024 * 1024))
    with pytest.raises(ImageTooLargeError, match=r"the file has 3\.0 MiB; at most 1 MiB"):
        read(f"{memory}/large", Limits(max_bytes=1024 * 1024))


def test_what_is_not_there_says_so(memory: str, tmp_path: Path) -> None:
    for place in (tmp_path / "gone", tmp_path, f"{memory}/gone"):
        with pytest.raises(FileNotFoundError):
            read(place, LIMITS)


def test_prefixes_patterns_and_objects_are_found(memory: str) -> None:
    names = ("b.jpg", "a.PNG", "sub/c.jpeg", "sub/.hidden/d.jpg", ".e.jpg", "notes.txt", "b-heatmap.png", "odd")
    for name in names:
        write(f"{memory}/{name}", b"x")
    base = memory.replace("memory://", "memory:///")

    def found(*arguments: str) -> list[str]:
        return [str(file).removeprefix(f"{base}/") for file in find_pictures(arguments).files]

    assert found(memory) == found(f"{memory}/") == ["a.PNG", "b.jpg", "sub/c.jpeg"]
    assert found(f"{memory}/*.jpg") == ["b.jpg"]
    assert found(f"{memory}/**/*.jp*g") == ["b.jpg", "sub/c.jpeg"]
    assert found(f"{memory}/s*") == ["sub/c.jpeg"]
    assert found(f"{memory}/odd") == ["odd"]  # named itself
    assert found(f"{memory}/sub", memory) == ["sub/c.jpeg", "a.PNG", "b.jpg"]  # each once
    nothing = find_pictures([f"{memory}/gone", f"{memory}/*.bmp"])
    assert (nothing.files, nothing.fruitless) == ([], [f"{memory}/gone", f"{memory}/*.bmp"])


def test_a_place_that_cannot_be_listed_is_reported(tmp_path: Path) -> None:
    (tmp_path / "no.zip").write_bytes(b"no archive")
    url = f"zip://::{tmp_path / 'no.zip'}"
    found = find_pictures([url])
    assert found.files == []
    assert found.unreadable == {url: "File is not a zip file"}


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives_are_read_by_many_threads(tmp_path: Path, kind: str) -> None:
    archive = tmp_path / f"photos.{kind}"
    contents = {f"in/{i:02}.jpg": bytes([i]) * 40_000 for i in range(24)}
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as packed:
            for name, data in contents.items():
                packed.writestr(name, data)
    else:
        with tarfile.open(archive, "w") as packed_tar:
            for name, data in contents.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                packed_tar.addfile(member, io.BytesIO(data))
    files = find_pictures([f"{kind}://in::{archive}"]).files
    assert files == [f"{kind}://{name}::{archive}" for name in contents]
    with ThreadPoolExecutor(8) as pool:
        read_back = list(pool.map(lambda file: read(file, Limits()), files * 4))
    assert read_back == list(contents.values()) * 4


def test_urls_give_the_results_of_files(classifier: Classifier, pictures: Path, memory: str) -> None:
    files = sorted(pictures.glob("*.jpg"))
    for file in files:
        write(f"{memory}/{file.name}", file.read_bytes())
    urls = find_pictures([memory]).files
    here = list(classify_files(classifier, files))
    there = list(classify_files(classifier, [*urls, f"{memory}/gone.jpg"], overlays=f"{memory}/heat"))
    assert [r.probabilities for r in there[:-1]] == [r.probabilities for r in here]
    assert there[-1].error == "there is no such file"
    for result, file in zip(there, files, strict=False):
        assert result.overlay == f"{memory}/heat/{file.stem}-heatmap.png"
        assert read(result.overlay, Limits()).startswith(b"\x89PNG")


def test_heatmaps_of_urls_have_names_of_their_own() -> None:
    names = HeatmapNames("s3://bucket/heat/")
    assert names.new("s3://b/x/mole.jpg") == "s3://bucket/heat/mole-heatmap.png"
    assert names.new("s3://b/y/MOLE.png") == "s3://bucket/heat/MOLE-2-heatmap.png"


def test_what_a_url_needs_is_named() -> None:
    with pytest.raises(BulkError, match="cannot be reached"):
        file_system("gopher://x")
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['fsspec', 's3fs', 'gcsfs']))\n"
        "from lesionlens.cli import app; app(['classify', sys.argv[1]])"
    )
    for url, extra in (("s3://b/a.jpg", "s3"), ("gs://b/a.jpg", "gcs"), ("memory://a.jpg", "ray")):
        done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert f"pip install 'lesionlens[{extra}]'" in " ".join(done.stderr.split())
