"""Sends every client to the loopback internet, and fails whatever tries to get past it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yfinance as yf
from curl_cffi import Curl, CurlInfo
from yfinance import cache
from yfinance.data import SingletonMeta

from pipelines.ingest.yahoo.client import keep_cookies_apart

from .certificates import make_certificate
from .internet import Internet, Site

_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY")
_AUTHORITY_VARIABLES = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


class EscapedConnection(BaseException):
    """Something reached for the real network. No ``except Exception`` may swallow it."""


@contextmanager
def only_loopback(folder: Path, sites: dict[str, Site]) -> Iterator[Internet]:
    """Serve the sites; whatever else is asked for, by whatever client, fails at the end.

    Python's sockets and name look-ups are barred from leaving loopback. libcurl has sockets of its
    own, so each of its transfers is checked for the address that it was really connected to.
    """
    authority, context = make_certificate(folder, list(sites))
    escaped: list[str] = []
    with Internet(sites, context) as internet, pytest.MonkeyPatch.context() as patch:
        for name in _PROXY_VARIABLES:
            patch.setenv(name, internet.proxy_url)
        for name in _AUTHORITY_VARIABLES:
            patch.setenv(name, str(authority))
        for name in ("NO_PROXY", "no_proxy"):
            patch.delenv(name, raising=False)
        _bar_python(patch, escaped)
        _watch_curl(patch, escaped)
        usual = keep_cookies_apart().name
        _forget_yahoo(str(folder / "cookies"))
        try:
            yield internet
        finally:
            _forget_yahoo(usual)
    strays = [*escaped, *internet.strays]
    if strays:
        raise EscapedConnection(f"not to be asked for: {', '.join(strays)}")


def _bar_python(patch: pytest.MonkeyPatch, escaped: list[str]) -> None:
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] != "127.0.0.1":
            escaped.append(f"connection to {address}")
            raise EscapedConnection(escaped[-1])
        connect(self, address)

    def guarded_look_up(host: Any, *rest: Any, **named: Any) -> Any:
        if host not in ("127.0.0.1", b"127.0.0.1", None):
            escaped.append(f"look-up of {host}")
            raise EscapedConnection(escaped[-1])
        return look_up(host, *rest, **named)

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket, "getaddrinfo", guarded_look_up)


def _watch_curl(patch: pytest.MonkeyPatch, escaped: list[str]) -> None:
    perform = Curl.perform

    def watched(self: Curl, *rest: Any, **named: Any) -> Any:
        try:
            return perform(self, *rest, **named)
        finally:
            address = bytes(self.getinfo(CurlInfo.PRIMARY_IP) or b"").decode()
            if address not in ("", "127.0.0.1"):
                escaped.append(f"curl connected to {address}")

    patch.setattr(Curl, "perform", watched)


def _forget_yahoo(folder: str) -> None:
    """Drop what yfinance keeps for the life of a process: its session, crumb and cookies."""
    SingletonMeta._instances.clear()
    cache._CookieCacheManager._Cookie_cache = None
    yf.set_tz_cache_location(folder)
