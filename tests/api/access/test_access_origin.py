"""Requests that a page of another site makes a browser send are told from the service's own."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from lesionlens.api.access.origin import is_cross_site


@pytest.mark.parametrize(
    ("headers", "cross"),
    [
        # Current browsers, over HTTPS or on this machine: what the browser says counts, and nothing else.
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": ""}, True),
        ({"Sec-Fetch-Site": "new-word"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://nas:5000"}, True),
        # A proxy that passes on another Host than the browser's.
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://derm.example"}, False),
        # Browsers over plain HTTP: the page's origin against the host asked.
        ({"Origin": "http://nas:5000"}, False),
        ({"Origin": "http://NAS:5000"}, False),
        ({"Origin": "https://nas:5000"}, False),  # the proxy that ends TLS speaks plain HTTP to the service
        ({"Origin": "http://nas"}, True),
        ({"Origin": "http://nas:5001"}, True),
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "http://nas:5000.evil.example"}, True),
        ({"Origin": "http://nas.evil.example:5000"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "file://"}, True),
        ({"Origin": ""}, True),
        ({"Origin": "http://[nas"}, True),
        ({"Origin": "http://nas:port"}, True),
        # Programs, and nobody else, send neither.
        ({}, False),
    ],
)
def test_whose_page_sent_it(headers: dict[str, str], cross: bool) -> None:
    assert is_cross_site(Headers({"Host": "nas:5000"} | headers)) is cross


@pytest.mark.parametrize(
    ("host", "origin", "cross"),
    [
        ("derm.example", "https://derm.example", False),
        ("derm.example:443", "https://derm.example", False),
        ("derm.example", "https://derm.example:443", False),
        ("derm.example:80", "http://derm.example", False),
        ("derm.example", "https://derm.example:8443", True),
        ("derm.example:80", "https://derm.example", True),
        ("[::1]:5000", "http://[::1]:5000", False),
        ("[::1]:5000", "http://[::2]:5000", True),
    ],
)
def test_default_ports_need_not_be_named(host: str, origin: str, cross: bool) -> None:
    assert is_cross_site(Headers({"Host": host, "Origin": origin})) is cross


def test_an_origin_without_a_host_to_compare_it_with_is_foreign() -> None:
    assert is_cross_site(Headers({"Origin": "http://nas:5000"}))
