"""A proxy on loopback that is the whole internet: known hosts answer, all others are recorded.

Clients reach it as their HTTPS proxy, so their own code runs down to the encrypted bytes. They
ask the proxy for a host by name, so nothing is ever looked up.
"""

import socketserver
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    host: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.host}{self.path}"


@dataclass(frozen=True)
class Reply:
    """What goes back; ``cut_at`` bytes of the body are sent and then the line is dead.

    With ``drip_s`` the body goes back byte by byte, with that wait between two.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    drip_s: float = 0.0
    cut_at: int | None = None


Site = Callable[[Request], Reply]


@dataclass
class Internet:
    """Sites by host name, what they were asked and answered, and who asked for anything else."""

    sites: dict[str, Site]
    context: ssl.SSLContext
    exchanged: list[tuple[Request, Reply]] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self, self._stopped))
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def proxy_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the game; anything else is a fault of the server."""
        import sys

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _handler(
    internet: Internet, stopped: threading.Event
) -> type[socketserver.StreamRequestHandler]:
    class Connection(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def handle(self) -> None:
            first = self.rfile.readline().decode("latin-1").split()
            while self.rfile.readline().strip():
                pass
            if not first:
                return
            method, target = first[0], first[1]
            host = target.rpartition(":")[0]
            if method != "CONNECT" or host not in internet.sites:
                internet.strays.append(f"{method} {target}")
                self.wfile.write(b"HTTP/1.1 502 Unknown host\r\nContent-Length: 0\r\n\r\n")
                return
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with internet.context.wrap_socket(self.connection, server_side=True) as secure:
                self._serve(host, secure)

        def _serve(self, host: str, secure: ssl.SSLSocket) -> None:
            stream = secure.makefile("rb")
            while (request := _read(host, stream)) is not None:
                reply = internet.sites[host](request)
                internet.exchanged.append((request, reply))
                if reply.delay_s and stopped.wait(reply.delay_s):
                    return
                _send(secure, reply, stopped)
                if reply.cut_at is not None:
                    return

    return Connection


def _read(host: str, stream: BinaryIO) -> Request | None:
    start = stream.readline().decode("latin-1").split()
    if len(start) < 3:
        return None
    headers = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0))).decode()
    url = urlsplit(start[1])
    fields = parse_qs(url.query) | parse_qs(body)
    query = {name: values[-1] for name, values in fields.items()}
    return Request(host, start[0], url.path, query, headers)


def _send(secure: ssl.SSLSocket, reply: Reply, stopped: threading.Event) -> None:
    head, body = _written(reply)
    if not reply.drip_s:
        secure.sendall(head + body)
        return
    secure.sendall(head)
    for byte in body:
        if stopped.wait(reply.drip_s):
            return
        secure.sendall(bytes([byte]))


def _written(reply: Reply) -> tuple[bytes, bytes]:
    lines = [
        f"HTTP/1.1 {reply.status} Loopback",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
        *(f"{name}: {value}" for name, value in reply.headers),
    ]
    body = reply.body if reply.cut_at is None else reply.body[: reply.cut_at]
    return "\r\n".join([*lines, "", ""]).encode(), body
