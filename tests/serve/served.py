"""A page served over a small network, and a browser's manners without a browser: cookie, origin, forms."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.program.networks import BASE

pytest.importorskip("starlette", reason="needs starlette (the extra [serve])")
pytest.importorskip("uvicorn", reason="needs uvicorn (the extra [serve])")

from allocator.serve.server import Serving, serving

FORM = "application/x-www-form-urlencoded"
NASTY = '<script>alert(1)</script> & "x'


def write_network(folder: Path, **files: str) -> Path:
    """Write the small network and scenario files beside it."""
    network = folder / "small"
    network.mkdir(parents=True)
    for name, text in BASE.items():
        (network / name).write_text(text, encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return network


@dataclass(frozen=True)
class Answer:
    """An answer: status, headers with small names, text."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def to(self) -> str:
        """Where it sends the browser on to."""
        return self.headers.get("location", "")

    @property
    def words(self) -> str:
        """What it reads as, without markup."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.text)).split())


class Client:
    """One browser session."""

    def __init__(self, server: Serving) -> None:
        self.server = server
        self.host = urlsplit(server.address).netloc
        self.token = parse_qs(urlsplit(server.address).query)["token"][0]
        self.cookie = self.ask("GET", f"/?token={self.token}").headers["set-cookie"].partition(";")[0]

    def ask(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
        """Send one request as it is stated."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, sent)
            found = connection.getresponse()
            text = found.read().decode("utf-8", "replace")
            return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, text)
        finally:
            connection.close()

    def get(self, path: str, **fields: str | list[str]) -> Answer:
        """Open a page."""
        return self.ask("GET", f"{path}?{urlencode(fields, doseq=True)}" if fields else path, Cookie=self.cookie)

    def post(self, path: str, **fields: str) -> Answer:
        """Send a form, as the page itself does."""
        headers = {"Cookie": self.cookie, "Origin": f"http://{self.host}", "Content-Type": FORM}
        return self.ask("POST", path, urlencode({"csrf": self.server.gate.csrf, **fields}), **headers)

    def ended(self, run: str, patience: float = 120.0) -> Answer:
        """Wait until a run has ended; give its page."""
        until = time.monotonic() + patience
        while '"live":true' in self.get("/progress", run=run).text:
            assert time.monotonic() < until, "the run did not end"
            time.sleep(0.1)
        return self.get("/run", run=run)


@contextmanager
def served(folder: Path) -> Iterator[Client]:
    """Serve a folder in a thread; give a client that has entered."""
    with serving(folder) as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield Client(server)
        finally:
            server.stop()
            thread.join(30)
            assert not thread.is_alive()
