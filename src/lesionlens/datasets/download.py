"""Downloading one large file over a line that breaks: resumed, verified, and never half there under its name."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

import httpx

from lesionlens.datasets.files import Digests, PartialFile, file_digests, require_space
from lesionlens.datasets.progress import Progress, silent
from lesionlens.errors import DataError

__all__ = ["download"]

_LONGEST_WAIT_S: Final = 60.0
_MD5_ETAG: Final = re.compile(r'"([0-9a-f]{32})"')


class _InterruptedError(Exception):
    """The transfer stopped in a way that trying again may mend."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


def download(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    md5: str | None = None,
    sha256: str | None = None,
    attempts: int = 5,
    backoff_s: float = 1.0,
    timeout_s: float = 30.0,
    progress: Progress = silent,
) -> Digests:
    """Download a file, going on where an earlier call stopped.

    Bytes gather in `<target>.part`, which takes the target's name only once size and checksums are right. Resuming
    uses an HTTP range request (RFC 9110, section 14) with `If-Range`, so that a file that changed on the server starts
    anew; so does one on a server without ranges.

    Args:
        url: `http` or `https` address.
        target: Where the file goes; its folder must exist.
        size: Size in bytes that the file must have; None for the one that the server announces.
        md5: MD5 that it must have, lower-case hexadecimal. Without one, the ETag of an Amazon S3 object that was
            uploaded in one piece serves, which is its MD5.
        sha256: SHA-256 that it must have.
        attempts: How often in a row a transfer may break off without a byte gained before this gives up.
        backoff_s: Wait in seconds before the second attempt; it doubles each time, up to a minute.
        timeout_s: Longest silence of the server in seconds.
        progress: Told the bytes that have arrived.

    Returns:
        Size and checksums of the file that is now at `target`.

    Raises:
        DataError: The server refuses, keeps breaking off or announces another size; the disk is full; or the file
            that arrived is not the expected one (it is then deleted).
    """
    partial = PartialFile(target)
    headers = {"Accept-Encoding": "identity", "User-Agent": "lesionlens"}
    try:
        with httpx.Client(follow_redirects=True, timeout=timeout_s, headers=headers) as client:

            def transfer() -> str | None:
                return _transfer(client, url, partial, size, progress, f"downloading {target.name}")

            etag_md5 = _persist(transfer, url, partial, attempts, backoff_s)
        found = file_digests(partial.path, progress, f"verifying {target.name}")
        _require_same(found, target.name, partial, size=size, md5=md5 or etag_md5, sha256=sha256)
        partial.promote()
    except OSError as error:
        raise DataError(f"cannot write {target}: {error.strerror or error}") from error
    return found


def _persist(
    transfer: Callable[[], str | None], url: str, partial: PartialFile, attempts: int, backoff_s: float
) -> str | None:
    failures, furthest = 0, partial.size
    while True:
        try:
            return transfer()
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise DataError(f"{url!r} is not an http or https address: {error}") from error
        except (httpx.TransportError, _InterruptedError) as error:
            # Only attempts without progress count: a line that drops every few minutes still gets there.
            failures = 1 if partial.size > furthest else failures + 1
            furthest = max(furthest, partial.size)
            if failures >= attempts:
                reason = str(error) or type(error).__name__
                raise DataError(
                    f"the download of {url} broke off {failures} times in a row ({reason}); "
                    f"{partial.size:,} bytes are kept, and running the command again goes on from there"
                ) from error
            wait = error.wait_s if isinstance(error, _InterruptedError) else None
            time.sleep(min(_LONGEST_WAIT_S, backoff_s * 2 ** (failures - 1) if wait is None else wait))


def _require_same(
    found: Digests, name: str, partial: PartialFile, *, size: int | None, md5: str | None, sha256: str | None
) -> None:
    for what, actual, expected in (
        ("size", found.size, size),
        ("MD5", found.md5, md5),
        ("SHA-256", found.sha256, sha256),
    ):
        if expected is not None and actual != expected:
            partial.discard()
            raise DataError(
                f"{name} arrived damaged or is another file: its {what} is {actual}, expected {expected}. "
                "It was deleted; run the command again"
            )


def _transfer(
    client: httpx.Client, url: str, partial: PartialFile, size: int | None, progress: Progress, step: str
) -> str | None:
    """Fetch what is still missing; return the MD5 that the server vouches for, if it does."""
    start, validator = partial.size, partial.validator
    resume = {"Range": f"bytes={start}-", "If-Range": validator} if validator else {}
    with client.stream("GET", url, headers=resume) as response:
        content_range = response.headers.get("Content-Range", "")
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            if content_range == f"bytes */{start}":
                return None  # everything had arrived before
            partial.discard()
            raise _InterruptedError("the file on the server changed", wait_s=0.0)
        _require_success(response, url)
        resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
        if resumed and not content_range.startswith(f"bytes {start}-"):
            partial.discard()
            raise _InterruptedError("the server sent another range than was asked for", wait_s=0.0)
        if not resumed:
            start = 0
            partial.discard()
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() else None
        if size is not None and total is not None and total != size:
            raise DataError(f"{url} is {total:,} bytes long, but {size:,} are expected; it is not the official file")
        require_space(partial.path.parent, (total or size or start) - start)
        partial.remember(response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))
        _receive(response, partial, start, total or size, progress, step)
        return _md5_of_etag(response)


def _receive(
    response: httpx.Response, partial: PartialFile, start: int, total: int | None, progress: Progress, step: str
) -> None:
    done = start
    progress(step, done, total)
    with partial.path.open("ab" if start else "wb") as file:
        for chunk in response.iter_raw():
            done += len(chunk)
            if total is not None and done > total:
                raise DataError(f"the server sends more than the {total:,} bytes that {step} should take")
            file.write(chunk)
            progress(step, done, total)
    if total is not None and done != total:
        raise _InterruptedError(f"{done:,} of {total:,} bytes arrived")


def _require_success(response: httpx.Response, url: str) -> None:
    status = response.status_code
    if status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS) or status >= 500:
        raise _InterruptedError(f"the server answered {status}", _retry_after(response))
    if status not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise DataError(f"the server refuses {url}: {status} {response.reason_phrase}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise DataError(f"{url} arrives re-encoded ({response.headers['Content-Encoding']}) although it must not be")


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _md5_of_etag(response: httpx.Response) -> str | None:
    """Return the MD5 in the ETag of a one-piece S3 object; objects under a KMS key have another kind of ETag."""
    encryption = response.headers.get("x-amz-server-side-encryption", "")
    if response.headers.get("Server") != "AmazonS3" or "kms" in encryption:
        return None
    match = _MD5_ETAG.fullmatch(response.headers.get("ETag", ""))
    return match[1] if match else None
