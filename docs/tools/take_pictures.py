"""Take the pictures of Airflow's user interface in docs/pictures from a running `make up`.

    python docs/tools/take_pictures.py [--url http://127.0.0.1:8080] [--out docs/pictures] [NAME...]

It logs in as the user of the home (`SMARTINVEST_HOME`), and says so and takes none where this
machine has no Chromium. A picture shows what that Airflow has run: run a session before.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import chromium
import httpx
from PIL import Image

from pipelines.operate.airflow_config import USER, password
from pipelines.settings import load_settings

LARGEST_BYTES = 200_000
WIDTH, HEIGHT = 1360, 860
_SETTLE_S = 1.5
"""Charts and graphs move into their place after they are there."""

Step = Callable[[chromium.Page], None]


@dataclass(frozen=True)
class Picture:
    """One picture: where to look, what to wait for, and what to do before it is taken.

    Parameters
    ----------
    view : how Airflow shows a DAG, ``grid`` or ``graph``.
    box : what is cut out: left, upper, right, lower; all if it is None.
    """

    name: str
    path: str
    ready: str
    then: tuple[Step, ...] = ()
    view: str = "grid"
    dark: bool = False
    width: int = WIDTH
    height: int = HEIGHT
    box: tuple[int, int, int, int] | None = None


def _has(text: str) -> str:
    return f"document.body && document.body.innerText.includes({text!r})"


def _click(text: str) -> Step:
    """Return a step that clicks on the button with a text or a label."""
    found = (
        "[...document.querySelectorAll('button,a')].find(each => each.innerText.trim() === "
        f"{text!r} || each.getAttribute('aria-label') === {text!r})"
    )

    def click(page: chromium.Page) -> None:
        page.wait_for(f"!!{found}")
        page.evaluate(f"{found}.click()")

    return click


def _wait(condition: str) -> Step:
    return lambda page: page.wait_for(condition)


_LOADED = "!document.querySelector('[class*=skeleton]')"
_FRAME = "document.querySelector('iframe')?.contentDocument?.body?.innerText.includes('Chain')"

PICTURES = (
    Picture("grid", "/dags/ingest", _has("ingest")),
    Picture("graph", "/dags/ingest", "!!document.querySelector('.react-flow__node')", view="graph"),
    Picture("assets", "/assets", _has("market_data"), (
        _click("warehouse"), _wait("!!document.querySelector('.react-flow__node')")),
        width=2400, height=480, box=(120, 200, 1650, 320)),
    Picture("form", "/dags/tune", _has("tune"), (
        _click("Trigger"), _wait("!!document.querySelector('[role=dialog]')"))),
    Picture("operations", "/plugin/operations", _FRAME, height=1300),
    Picture("operations-dark", "/plugin/operations", _FRAME, dark=True),
    Picture("operations-phone", "/operations/", _has("Chain"), width=390, height=844),
)  # fmt: skip


def main() -> int:
    """Take the pictures that are asked for, all if none is; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "pictures")
    parser.add_argument("names", nargs="*", metavar="NAME")
    asked = parser.parse_args()
    browser = chromium.find()
    if browser is None:
        sys.stdout.write(f"no pictures: this machine has none of {', '.join(chromium.NAMES)}\n")
        return 0
    token = _log_in(asked.url)
    asked.out.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        if not asked.names or picture.name in asked.names:
            file = asked.out / f"{picture.name}.png"
            size = _take(browser, asked.url, token, picture, file)
            sys.stdout.write(f"{file}: {size:,} bytes\n")
    return 0


def _log_in(url: str) -> str:
    login = {"username": USER, "password": password(load_settings())}
    with httpx.Client(trust_env=False, timeout=30.0) as http:
        response = http.post(f"{url}/auth/token", json=login)
    return str(response.raise_for_status().json()["access_token"])


def _take(browser: str, url: str, token: str, picture: Picture, file: Path) -> int:
    with chromium.page(browser, picture.width, picture.height) as page:
        page.send("Page.enable")  # else the script below is not run
        page.send("Network.setCookie", name="_token", value=token, url=url)
        theme = "dark" if picture.dark else "light"
        feature = [{"name": "prefers-color-scheme", "value": theme}]
        page.send("Emulation.setEmulatedMedia", features=feature)
        stored = (
            f"localStorage.setItem('theme', '{theme}');"
            f"localStorage.setItem('default_dag_view', JSON.stringify('{picture.view}'));"
        )
        page.send("Page.addScriptToEvaluateOnNewDocument", source=stored)
        page.send("Page.navigate", url=f"{url}{picture.path}")
        page.wait_for(picture.ready)
        for step in picture.then:
            time.sleep(_SETTLE_S)
            step(page)
        page.wait_for(_LOADED)
        time.sleep(_SETTLE_S)
        return _save(page.picture(), picture.box, file)


def _save(picture: bytes, box: tuple[int, int, int, int] | None, file: Path) -> int:
    """Write a picture with as few colours as it takes to be small; return its bytes."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").crop(box)
    for colours in (256, 128, 64, 32):
        small = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
        if small.tell() <= LARGEST_BYTES:
            break
    file.write_bytes(small.getvalue())
    return small.tell()


if __name__ == "__main__":
    sys.exit(main())
