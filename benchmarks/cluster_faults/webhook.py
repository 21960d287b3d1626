"""A receiver of alerts on the loopback: a real HTTP server that keeps what it is sent."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_LOOK_EVERY_S = 0.2


class Webhook:
    """The texts of the alerts that were received so far, in order."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._texts: list[str] = []

    def receive(self, body: bytes) -> None:
        """Keep the text of a posted alert."""
        self._texts.append(str(json.loads(body)["text"]))

    @property
    def count(self) -> int:
        """How many alerts came so far."""
        return len(self._texts)

    def since(
        self, count: int, is_wanted: Callable[[str], bool], patience_s: float
    ) -> tuple[list[str], str]:
        """Return all alerts after the first ``count``, and the first of them that is wanted.

        It is waited for; the text is empty if it did not come.
        """
        deadline = time.monotonic() + patience_s
        while True:
            texts = self._texts[count:]
            wanted = next((text for text in texts if is_wanted(text)), "")
            if wanted or time.monotonic() > deadline:
                return texts, wanted
            time.sleep(_LOOK_EVERY_S)


@contextmanager
def listening() -> Iterator[Webhook]:
    """Listen on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is http.server's
            webhook.receive(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Write no access log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    webhook = Webhook(f"http://127.0.0.1:{server.server_port}/alerts")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield webhook
    finally:
        server.shutdown()
        server.server_close()
