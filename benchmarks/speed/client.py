"""Clients that send photos to `/predict`, over connections that stay open, and look at their watch.

They share the machine with what they measure, so they do next to nothing: the request is made once, beforehand, and the
answer is read as bytes.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

__all__ = ["Connection", "MeasuringError", "form", "latencies", "throughput"]

_BOUNDARY: Final = "lesionlens-benchmark-3b1f0c52"
_TIMEOUT: Final = 300.0  # seconds; eight clients of the baseline wait for each other


class MeasuringError(Exception):
    """A service did not answer as it should, so that there is nothing to measure."""


class Connection:
    """One client.

    Args:
        url: Where the service is, such as `http://127.0.0.1:5000`.
    """

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._url = url
        self._http = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT)

    def predict(self, body: bytes) -> tuple[float, bytes]:
        """Send a form (`form`) and return the seconds until the whole answer had come, and the answer.

        Raises:
            MeasuringError: The status is not 200, or there is no answer.
        """
        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        begun = time.perf_counter()
        try:
            self._http.request("POST", "/predict", body, headers)
            response = self._http.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise MeasuringError(f"{self._url}/predict gave no answer: {error!r}") from error
        seconds = time.perf_counter() - begun
        if response.status != 200:
            raise MeasuringError(f"{self._url}/predict answered {response.status}: {answer[:200]!r}")
        return seconds, answer

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


def form(photo: bytes) -> bytes:
    """Return the body of a request with one photo."""
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="image.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + photo + f"\r\n--{_BOUNDARY}--\r\n".encode()


def latencies(url: str, photos: Sequence[bytes], count: int) -> list[float]:
    """Send photos one after the other and return the seconds that each took.

    Args:
        url: Where the service is.
        photos: Photo files, sent in turn.
        count: How many requests.
    """
    bodies = [form(photo) for photo in photos]
    connection = Connection(url)
    try:
        return [connection.predict(bodies[i % len(bodies)])[0] for i in range(count)]
    finally:
        connection.close()


def throughput(url: str, photos: Sequence[bytes], clients: int, each: int) -> float:
    """Let several clients send photos at once and return the answers per second.

    Args:
        url: Where the service is.
        photos: Photo files, sent in turn.
        clients: How many clients.
        each: How many requests each of them sends, one after the other.

    Raises:
        MeasuringError: A request was not answered with 200.
    """
    bodies = [form(photo) for photo in photos]
    failures: list[MeasuringError] = []
    ready = threading.Barrier(clients + 1)

    def client(number: int) -> None:
        connection = Connection(url)
        ready.wait()
        try:
            for i in range(each):
                connection.predict(bodies[(number + i) % len(bodies)])
        except MeasuringError as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    if failures:
        raise failures[0]
    return clients * each / seconds
