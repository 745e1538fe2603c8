"""The server: routes, the gate before them, and one loop until Ctrl-C."""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from allocator.serve.asked import Asked, Refused
from allocator.serve.edits import Edits
from allocator.serve.gate import Gate
from allocator.serve.holdings import Served
from allocator.serve.runs import Runs
from allocator.serve.views import Views
from allocator.tables.findings import InputError

HOST = "127.0.0.1"
TITLES = {400: "That can't be done", 403: "Not from here", 404: "Not here", 409: "Not now"}
Answer = Callable[[Asked], Response]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Serving:
    """A server that is ready to run.

    Attributes
    ----------
    address : str
        Where it answers, with the token.
    """

    address: str
    gate: Gate
    _server: uvicorn.Server
    _socket: socket.socket

    def run(self) -> None:
        """Answer until the process is asked to end, or `stop` is called."""
        self._server.run([self._socket])

    def stop(self) -> None:
        """Ask it to end; from any thread."""
        self._server.should_exit = True

    def once(self) -> str:
        """The address with a token that is good for one request."""
        return f"{self.address.partition('?')[0]}?{urlencode({'token': self.gate.once()})}"


@contextmanager
def serving(folder: str | Path, port: int = 0) -> Iterator[Serving]:
    """Serve a folder on this machine alone; runs under way end with the context.

    Parameters
    ----------
    folder : str or Path
        A network folder, a folder of plans, or a folder with both below it.
    port : int
        0: one that is free.

    Raises
    ------
    OSError
        When the port is taken.
    """
    served = Served(Path(folder))
    listener = socket.create_server((HOST, port))
    try:
        with Runs(served.plans) as runs:
            views = Views(served, runs)
            gate = Gate(_routes(views, Edits(views)), listener.getsockname()[1])
            views.gate = gate
            config = uvicorn.Config(
                gate,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=2,
            )
            address = f"http://{HOST}:{listener.getsockname()[1]}/?{urlencode({'token': gate.token})}"
            yield Serving(address, gate, uvicorn.Server(config), listener)
    finally:
        listener.close()


def _routes(views: Views, edits: Edits) -> Starlette:
    read: dict[str, Answer] = {
        **{"/": views.index, "/plan": views.plan, "/report": views.report, "/compare": views.compare},
        **{"/item": views.item, "/site": views.site, "/place": views.place},
        **{"/run": views.run, "/progress": views.progress, "/edit": edits.edit},
        "/style.css": lambda asked: views.asset("style.css"),
        "/script.js": lambda asked: views.asset("script.js"),
    }
    sent: dict[str, Answer] = {
        "/edit": edits.sent, "/start": edits.start, "/cancel": edits.cancel, "/override": edits.override
    }  # fmt: skip
    routes = [Route(path, _reading(views, answer), methods=["GET"]) for path, answer in read.items()]
    routes += [Route(path, _sending(views, answer), methods=["POST"]) for path, answer in sent.items()]

    async def nowhere(request: Request, error: Exception) -> Response:
        return views.message(404, TITLES[404], ["there is no such page; begin with the list"])

    return Starlette(routes=routes, exception_handlers={404: nowhere})


def _reading(views: Views, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_answered, views, answer, request.scope["query_string"])

    return endpoint


def _sending(views: Views, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    def checked(asked: Asked) -> Response:
        assert views.gate is not None
        if not secrets.compare_digest(asked.one("csrf").encode(), views.gate.csrf.encode()):
            raise Refused(
                403, "the form is not from this server, or from before it was started again; open the page anew"
            )
        return answer(asked)

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(_answered, views, checked, await request.body())

    return endpoint


def _answered(views: Views, answer: Answer, fields: bytes) -> Response:
    """Answer, and say every fault in a page."""
    try:
        return answer(Asked.of(fields))
    except Refused as refused:
        return views.message(refused.status, TITLES.get(refused.status, "Not so"), [refused.why])
    except InputError as error:
        lines = [str(finding) for finding in error.findings[:200]]
        return views.message(400, "The input breaks its rules; nothing was planned", lines)
    except Exception as error:
        logger.exception("a page failed")
        first = (str(error).strip().splitlines() or [""])[0]
        said = f"internal error: {type(error).__name__}: {first}; the same from the command line says more"
        return views.message(500, "That went wrong", [said])
