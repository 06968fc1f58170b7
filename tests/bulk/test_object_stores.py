"""Photos in, results out, on S3 and Google Cloud Storage.

HTTP servers that speak their protocols (moto, gcp-storage-emulator), and the real s3fs and gcsfs.
"""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lesionlens import Classifier
from lesionlens.bulk import Job, Options, Target, classify_files, entries_of, find_pictures, run_here
from lesionlens.bulk.storage import file_system, read, write
from lesionlens.bulk.writers import render
from lesionlens.errors import ImageTooLargeError
from lesionlens.imaging import Limits


@contextmanager
def s3() -> Iterator[str]:
    """URL of an empty bucket on S3."""
    server_of = pytest.importorskip("moto.server", reason="S3 is tried against moto's server, of the extra test")
    s3fs = pytest.importorskip("s3fs", reason="S3 needs s3fs, which the extra s3 installs")
    server = server_of.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as environment:
        _, port = server.get_host_and_port()
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()
        yield "s3://photos"
        s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@contextmanager
def gs() -> Iterator[str]:
    """URL of an empty bucket on Google Cloud Storage."""
    emulator = pytest.importorskip(
        "gcp_storage_emulator.server", reason="Cloud Storage is tried against an emulator, of the extra test"
    )
    gcsfs = pytest.importorskip("gcsfs", reason="Cloud Storage needs gcsfs, which the extra gcs installs")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = emulator.create_server("127.0.0.1", port, in_memory=True)
    server.start()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        gcsfs.GCSFileSystem.clear_instance_cache()
        yield "gs://photos"
        gcsfs.GCSFileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture(scope="module", params=[s3, gs], ids=["s3", "gs"])
def bucket(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of an empty bucket."""
    with request.param() as url:
        file_system(url)[0].mkdir("photos")
        yield url


@pytest.fixture
def filled(bucket: str, pictures: Path) -> str:
    """A prefix with real photos, one that is empty, one that is none, and what is no photo."""
    for file in sorted(pictures.glob("*.jpg")):
        write(f"{bucket}/in/deep/{file.name}", file.read_bytes())
    write(f"{bucket}/in/empty.jpg", b"")
    write(f"{bucket}/in/bad.jpg", b"bad")
    write(f"{bucket}/in/notes.txt", b"no photo")
    return f"{bucket}/in"


def through(job: Job, classifier: Classifier, prefix: str) -> None:
    entries = job.earlier or entries_of(find_pictures([prefix]), None)
    job.begin(classifier.description, entries, batch_size=8)
    job.run(run_here(classifier, Options(), lambda _: None))
    job.finish()


def test_objects_are_found_and_read(bucket: str, filled: str) -> None:
    files = find_pictures([filled]).files
    assert len(files) == 10
    assert files == sorted(files)
    assert find_pictures([f"{bucket}/in/deep/*22.jpg"]).files == [f"{filled}/deep/ISIC_0000022.jpg"]
    assert find_pictures([f"{filled}/deep/ISIC_0000022.jpg"]).files == [f"{filled}/deep/ISIC_0000022.jpg"]
    missing = find_pictures([f"{bucket[:2]}://no-such-bucket/x", f"{bucket}/nothing/"])
    assert missing.files == []
    assert len(missing.fruitless) + len(missing.unreadable) == 2
    with pytest.raises(ImageTooLargeError):
        read(f"{filled}/deep/ISIC_0000022.jpg", Limits(max_bytes=10))


def test_results_are_those_of_local_files_and_lie_in_the_bucket(
    classifier: Classifier, filled: str, pictures: Path, bucket: str
) -> None:
    target = Target(f"{bucket}/out/results.csv", "file", "csv")
    through(Job(target, {}), classifier, filled)
    rows = list(csv.DictReader(io.StringIO(read(target.place, Limits()).decode())))
    failed = {row["file"].rpartition("/")[2]: row["error"] for row in rows if row["error"]}
    assert list(failed) == ["bad.jpg", "empty.jpg"]
    assert "empty" in failed["empty.jpg"]
    files = sorted(pictures.glob("*.jpg"))
    # In the batches that the two bad ones make: which pictures are computed together may show in the last digits.
    bad = pictures / "x.jpg"
    bad.write_bytes(b"bad")
    here = [r for r in classify_files(classifier, [bad, *files, bad]) if r.error is None]
    local = list(csv.DictReader(io.StringIO(render(here, "csv", classifier.description).decode())))
    remote = [row for row in rows if not row["error"]]
    assert [{**row, "file": ""} for row in remote] == [{**row, "file": ""} for row in local]
    assert file_system(f"{bucket}/out")[0].find("photos/out") == ["photos/out/results.csv"]  # no parts are left


def test_a_stopped_run_into_a_bucket_goes_on(classifier: Classifier, filled: str, bucket: str) -> None:
    target = Target(f"{bucket}/dataset", "folder", "csv")
    job = Job(target, {})
    job.begin(classifier.description, entries_of(find_pictures([filled]), None), batch_size=8)
    job.close()
    write(f"{filled}/later.jpg", b"came later")
    through(Job(target, {}), classifier, filled)
    [part] = [name for name in _names(bucket) if name.startswith("part-")]
    assert len(read(f"{bucket}/dataset/{part}", Limits()).decode().splitlines()) == 11  # as listed at first
    assert {"_manifest.json", "_listing.json.gz"} <= _names(bucket)


def _names(bucket: str) -> set[str]:
    system, path = file_system(f"{bucket}/dataset")
    system.invalidate_cache()
    found: Any = system.find(path)
    return {file.rpartition("/")[2] for file in found}
