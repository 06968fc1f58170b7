"""One file over a real connection to a real server that misbehaves."""

from __future__ import annotations

import hashlib
import random
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from file_server import FileServer, serve
from lesionlens.datasets.download import download
from lesionlens.datasets.files import Digests
from lesionlens.errors import DataError

BODY = random.Random(7).randbytes(300_000)
PATH = "/2019/file.bin"
MD5 = hashlib.md5(BODY).hexdigest()
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serve(FileServer({PATH: BODY})) as running:
        yield running


def get(server: FileServer, target: Path, **options: object) -> Digests:
    return download(server.url + PATH, target, **{"backoff_s": 0.01, "timeout_s": 5.0, **options})  # type: ignore[arg-type]


def test_a_file_arrives_whole_and_leaves_nothing_beside_it(server: FileServer, tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    assert get(server, target, size=len(BODY), md5=MD5, sha256=SHA256) == Digests(len(BODY), SHA256, MD5)
    assert target.read_bytes() == BODY
    assert list(tmp_path.iterdir()) == [target]


def test_a_dropped_connection_is_resumed_where_it_broke(server: FileServer, tmp_path: Path) -> None:
    server.drops = deque([100_000, 50_000])
    get(server, tmp_path / "file.bin", md5=MD5)
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert [r for _, r in server.requests] == [None, "bytes=100000-", "bytes=150000-"]


def test_a_second_call_goes_on_where_the_first_gave_up(server: FileServer, tmp_path: Path) -> None:
    server.drops = deque([100_000])
    with pytest.raises(DataError, match=r"100,000 bytes are kept, and running the command again goes on from there"):
        get(server, tmp_path / "file.bin", attempts=1)
    assert not (tmp_path / "file.bin").exists()
    get(server, tmp_path / "file.bin")
    assert server.requests[-1][1] == "bytes=100000-"
    assert (tmp_path / "file.bin").read_bytes() == BODY


def test_without_ranges_the_transfer_starts_anew(server: FileServer, tmp_path: Path) -> None:
    server.ranges, server.drops = False, deque([100_000])
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == BODY


def test_without_anything_that_identifies_the_file_nothing_is_resumed(server: FileServer, tmp_path: Path) -> None:
    server.etags, server.drops = False, deque([100_000])
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == BODY
    assert [r for _, r in server.requests] == [None, None]


def test_a_file_that_changed_on_the_server_starts_anew(server: FileServer, tmp_path: Path) -> None:
    server.drops = deque([100_000])
    with pytest.raises(DataError):
        get(server, tmp_path / "file.bin", attempts=1)
    server.files[PATH] = BODY[::-1]
    get(server, tmp_path / "file.bin")
    assert (tmp_path / "file.bin").read_bytes() == BODY[::-1]


def test_a_transfer_that_was_complete_before_is_only_verified(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(BODY)
    (tmp_path / "file.bin.part.validator").write_text(server.etag(PATH))
    get(server, tmp_path / "file.bin", sha256=SHA256)
    assert (tmp_path / "file.bin").read_bytes() == BODY


def test_a_part_longer_than_the_file_is_thrown_away(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").write_bytes(BODY + b"more")
    (tmp_path / "file.bin.part.validator").write_text(server.etag(PATH))
    get(server, tmp_path / "file.bin", sha256=SHA256)
    assert (tmp_path / "file.bin").read_bytes() == BODY


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ({"md5": "0" * 32}, f"its MD5 is {MD5}, expected {'0' * 32}"),
        ({"sha256": "0" * 64}, f"its SHA-256 is {SHA256}, expected {'0' * 64}"),
    ],
)
def test_a_wrong_checksum_deletes_what_arrived(
    server: FileServer, tmp_path: Path, expected: dict[str, str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        get(server, tmp_path / "file.bin", **expected)
    assert list(tmp_path.iterdir()) == []


def test_the_md5_that_amazon_s3_vouches_for_is_checked(server: FileServer, tmp_path: Path) -> None:
    server.s3, server.etags = True, False
    server.extra_headers = {"ETag": f'"{"0" * 32}"'}
    with pytest.raises(DataError, match="its MD5 is"):
        get(server, tmp_path / "file.bin")
    server.extra_headers["x-amz-server-side-encryption"] = "aws:kms"  # its ETag is no MD5
    get(server, tmp_path / "file.bin")


def test_another_size_is_refused_before_the_bytes_come(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is 300,000 bytes long, but 299,999 are expected; it is not the official file"):
        get(server, tmp_path / "file.bin", size=len(BODY) - 1)


def test_a_server_that_announces_no_length_cannot_fill_the_disk(server: FileServer, tmp_path: Path) -> None:
    server.announce_length = False
    get(server, tmp_path / "whole.bin", size=len(BODY))
    with pytest.raises(DataError, match="more than the 1,000 bytes"):
        get(server, tmp_path / "file.bin", size=1000)
    assert not (tmp_path / "file.bin").exists()


def test_a_busy_server_is_asked_again(server: FileServer, tmp_path: Path) -> None:
    server.statuses = deque([503, 429])
    get(server, tmp_path / "file.bin")
    assert len(server.requests) == 3


@pytest.mark.parametrize("when", ["0", "Thu, 01 Jan 2015 00:00:00 GMT"])
def test_a_server_may_say_when_to_ask_again(server: FileServer, tmp_path: Path, when: str) -> None:
    server.statuses, server.extra_headers = deque([503]), {"Retry-After": when}
    begun = time.monotonic()
    get(server, tmp_path / "file.bin", backoff_s=30.0)
    assert time.monotonic() - begun < 20.0


def test_what_a_server_mumbles_about_when_is_ignored(server: FileServer, tmp_path: Path) -> None:
    server.statuses, server.extra_headers = deque([503]), {"Retry-After": "soon"}
    get(server, tmp_path / "file.bin")
    assert len(server.requests) == 2


def test_a_target_that_cannot_be_written_says_so(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file.bin.part").mkdir()
    with pytest.raises(DataError, match="cannot write"):
        get(server, tmp_path / "file.bin")


def test_a_server_that_stays_busy_is_given_up(server: FileServer, tmp_path: Path) -> None:
    server.statuses = deque([503] * 10)
    with pytest.raises(DataError, match=r"broke off 3 times in a row \(the server answered 503\)"):
        get(server, tmp_path / "file.bin", attempts=3)


def test_a_file_that_is_not_there_is_not_asked_for_twice(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="404 Not Found"):
        download(server.url + "/2019/other.bin", tmp_path / "other.bin")
    assert len(server.requests) == 1


def test_bytes_that_were_encoded_on_the_way_are_refused(server: FileServer, tmp_path: Path) -> None:
    server.extra_headers = {"Content-Encoding": "gzip"}
    with pytest.raises(DataError, match="re-encoded"):
        get(server, tmp_path / "file.bin")


def test_an_address_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not an http or https address"):
        download("ftp://example.org/file.bin", tmp_path / "file.bin")


def test_progress_counts_what_was_there_before(server: FileServer, tmp_path: Path) -> None:
    server.drops = deque([100_000])
    seen: list[tuple[str, int, int | None]] = []
    get(server, tmp_path / "file.bin", progress=lambda step, done, total: seen.append((step, done, total)))
    downloading = [(done, total) for step, done, total in seen if step == "downloading file.bin"]
    assert downloading[0] == (0, len(BODY))
    assert (100_000, len(BODY)) in downloading
    assert downloading[-1] == (len(BODY), len(BODY))
    assert seen[-1] == ("verifying file.bin", len(BODY), len(BODY))
