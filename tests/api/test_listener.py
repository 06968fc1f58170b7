"""The listening socket: what a connection gets from it."""

from __future__ import annotations

import socket

import pytest

from lesionlens.api.listener import listen
from lesionlens.errors import SettingsError


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_end_of_an_answer_does_not_wait_for_the_client(host: str) -> None:
    """With Nagle's algorithm the last, short segment of an answer waits for an acknowledgement, which takes 40 ms."""
    try:
        listener = listen(host, 0)
    except SettingsError as error:
        pytest.skip(f"no such address here: {error}")
    with listener, socket.create_connection(listener.getsockname()[:2]):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
