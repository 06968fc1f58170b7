"""Which addresses count as one client."""

from __future__ import annotations

import ipaddress

__all__ = ["network_of"]


def network_of(address: str) -> str:
    """Return the network that counts as one client.

    Args:
        address: Of a client, as the server tells it.

    Returns:
        An IPv4 address as it is; the /64 network of an IPv6 address, since a single customer has all of it; and
        anything else, such as the nothing behind a Unix socket, unchanged.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(ip), 64), strict=False))
    return str(getattr(ip, "ipv4_mapped", None) or ip)
