"""The socket that listens, and how it stops without losing anybody."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import socket
import struct
import sys
from typing import Final

from lesionlens.errors import SettingsError

__all__ = ["BACKLOG", "listen", "take_no_more"]

BACKLOG: Final = 2048
"""Connections that the kernel keeps until they are accepted; it may be set to fewer (`net.core.somaxconn`)."""

_SO_ATTACH_FILTER: Final = 26  # linux/asm-generic/socket.h; Python has no name for it
_DROP_ALL: Final = struct.pack("HBBI", 0x06, 0, 0, 0)  # one instruction, BPF_RET with 0 bytes (linux/filter.h)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, so that a taken port is found before the model is loaded.

    Args:
        host: IPv4 or IPv6 address or a name.
        port: 0–65535; 0 takes a free one.

    Raises:
        SettingsError: The port is taken, or the address is not one of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it. asyncio sets it only on sockets that name their protocol, and without it the
        # end of an answer waits up to 40 ms for the client's acknowledgement of what came before.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(
                f"port {port} on {host} is in use by another program; choose another with --port or PORT"
            ) from error
        raise SettingsError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return listener


def take_no_more(listener: socket.socket) -> None:
    """Let no further connection into the queue of a listening socket, in whichever processes it is open.

    Closing the socket resets what waits in its queue, so that has to be accepted first, and meanwhile more would come.
    On Linux the kernel now drops the packets of new connections; once the socket is closed, it refuses their repetition
    a second later, which tells a client or a load balancer for certain that its request was not taken. Elsewhere
    nothing happens, and what comes within the few microseconds before the socket is closed is reset.

    Args:
        listener: A TCP socket that listens.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(_DROP_ALL)
    filter_of_one = struct.pack("HP", 1, ctypes.addressof(program))
    with contextlib.suppress(OSError):  # a sandbox may not have it; then it is as on other systems
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_of_one)
