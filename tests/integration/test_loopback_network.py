"""The loopback internet itself: whatever reaches past it fails the test, by whatever client."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import requests
import yfinance
from curl_cffi import Curl, CurlError, CurlOpt
from curl_cffi import requests as curl
from loopback.internet import Reply
from loopback.network import EscapedConnection, only_loopback
from loopback.yahoo import HOSTS

SITES = {"query2.finance.yahoo.com": lambda request: Reply(200, request.path.encode())}
URL = "https://query2.finance.yahoo.com/hello"


@pytest.mark.parametrize("client", [curl, requests, httpx], ids=["curl_cffi", "requests", "httpx"])
def test_every_client_reaches_the_sites_over_real_tls(client: object, tmp_path: Path) -> None:
    with only_loopback(tmp_path, SITES) as internet:
        assert client.get(URL).text == "/hello"
    assert [str(request) for request, _ in internet.exchanged] == [
        "GET query2.finance.yahoo.com/hello"
    ]


def test_a_process_that_is_started_reaches_them_too(tmp_path: Path) -> None:
    code = f"import httpx; assert httpx.get({URL!r}).text == '/hello'"
    with only_loopback(tmp_path, SITES) as internet:
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert len(internet.exchanged) == 1


@pytest.mark.parametrize("client", [curl, requests, httpx], ids=["curl_cffi", "requests", "httpx"])
@pytest.mark.parametrize("url", ["https://example.com/", "http://query2.finance.yahoo.com/"])
def test_another_host_or_an_unencrypted_one_fails_the_test(
    client: object, url: str, tmp_path: Path
) -> None:
    with (
        pytest.raises(EscapedConnection, match=r"not to be asked for: (CONNECT|GET)"),
        only_loopback(tmp_path, SITES),
        pytest.raises((OSError, httpx.HTTPError)),
    ):
        client.get(url).raise_for_status()


def test_a_connection_past_the_proxy_fails_the_test(tmp_path: Path) -> None:
    with pytest.raises(EscapedConnection, match=r"192\.0\.2\.1"), only_loopback(tmp_path, SITES):
        socket.create_connection(("192.0.2.1", 443), timeout=1)


def test_a_name_look_up_fails_the_test(tmp_path: Path) -> None:
    with pytest.raises(EscapedConnection, match="look-up"), only_loopback(tmp_path, SITES):
        socket.getaddrinfo("query2.finance.yahoo.com", 443)


def test_curl_past_the_proxy_fails_the_test(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.2", 0)) as elsewhere:
        handle = Curl()
        handle.setopt(CurlOpt.URL, f"http://127.0.0.2:{elsewhere.getsockname()[1]}/".encode())
        handle.setopt(CurlOpt.NOPROXY, b"*")
        handle.setopt(CurlOpt.TIMEOUT_MS, 200)
        with (
            pytest.raises(EscapedConnection, match=r"curl connected to 127\.0\.0\.2"),
            only_loopback(tmp_path, SITES),
            pytest.raises(CurlError, match="timed out"),
        ):
            handle.perform()


def test_every_host_that_yfinance_names_for_charts_is_a_site() -> None:
    sources = ("data.py", "const.py", "base.py", "scrapers/history.py")
    named = {
        host
        for name in sources
        for host in re.findall(
            r"https://([a-z0-9.]+\.yahoo\.com)",
            (Path(yfinance.__file__).parent / name).read_text("utf-8"),
        )
    }
    elsewhere = {"help.yahoo.com", "subscription.yahoo.com"}  # a comment; a paid login
    assert named - elsewhere == set(HOSTS)
