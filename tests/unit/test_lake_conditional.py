"""Objects that are created only where none is, against servers that answer what S3 may answer."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from pipelines.errors import LakeError, LakeUnavailableError
from pipelines.lake.conditional import create_object
from pipelines.operate.ports import free_port

Answering = Callable[..., str]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    """Start a server that gives these answers, the last one ever again; return a lake's URL."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    servers: list[ThreadingHTTPServer] = []

    def start(*statuses: int) -> str:
        left = list(statuses)

        class Server(BaseHTTPRequestHandler):
            # In which who asks first whether he may send is told so.
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                assert self.headers["If-None-Match"] == "*"
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Server))
        Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return f"s3://bucket/lake?endpoint_override=http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def create(url: str) -> bool:
    return create_object(url, "us-east-1", "bucket/lake/pointer", b"x")


def test_an_object_is_ours_where_the_server_refuses_to_replace_it(answering: Answering) -> None:
    assert create(answering(200, 412))


def test_an_object_that_is_there_or_comes_while_we_write_is_not_ours(answering: Answering) -> None:
    assert not create(answering(412))
    assert not create(answering(409, 409, 412))


def test_a_server_that_replaces_all_the_same_is_refused(answering: Answering) -> None:
    with pytest.raises(LakeError, match="replaces objects"):
        create(answering(200))


def test_a_server_that_is_away_is_waited_for_and_one_that_forbids_is_not(
    answering: Answering,
) -> None:
    nobody = f"s3://bucket/lake?endpoint_override=http://127.0.0.1:{free_port()}"
    for url in (answering(503), nobody):
        with pytest.raises(LakeUnavailableError, match="cannot be written"):
            create(url)
    with pytest.raises(LakeError, match="cannot be written") as forbidden:
        create(answering(403))
    assert not isinstance(forbidden.value, LakeUnavailableError)
