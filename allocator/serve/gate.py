"""Who may ask, and what a browser may do with the answer: token, session, host, origin, size, and the headers of every answer.

A page on this machine can be reached by every program on it and, through the browser, by every web page its user visits. So: the token
of the printed address is traded for a cookie that only this origin sends; a foreign Host (DNS rebinding) and a foreign Origin (forged
forms) are refused; forms carry a second secret.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY = 1 << 20
"""Largest request body, bytes."""
FORM = "application/x-www-form-urlencoded"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer browsers send no Origin along with forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Gate:
    """Lets requests through that come from the page itself, in a browser that was given the address.

    Parameters
    ----------
    app : ASGI application
    port : int
        Port that is listened to on 127.0.0.1.

    Attributes
    ----------
    token : str
        What the printed address holds; good until the server ends.
    csrf : str
        What every form must hold.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.cookie = f"allocator-{port}"  # cookies know no ports: two servers on one machine must not share theirs
        self.token, self.csrf, self._session = (secrets.token_urlsafe(32) for _ in range(3))
        self._once: set[str] = set()

    def once(self) -> str:
        """Make a token that is good for one request, for an address that other users may see in the list of processes."""
        made = secrets.token_urlsafe(32)
        self._once.add(made)
        return made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def out(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refused(scope)
        if refused is None and scope["method"] == "POST":
            body = await _body(receive)
            if body is None:
                refused = _refuse(413, f"the form is larger than {MOST_BODY >> 20} MB; write the scenario file by hand")
            else:
                receive = _again(body)
        await (refused or self.app)(scope, receive, out)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host not in self.hosts:
            return _refuse(421, f"this page answers to {' and '.join(sorted(self.hosts))} only")
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return _refuse(405, "only GET, HEAD and POST are answered")
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if "token" in query and scope["method"] == "GET" and self._known(query["token"][0]):
            return self._enter(scope["path"], query)
        if not _same(_cookie(headers, self.cookie), [self._session]):
            return _refuse(403, "no or a wrong token: open the address that `allocator serve` printed, token included")
        if scope["method"] != "POST":
            return None
        origin = headers.get("origin")
        if origin not in {f"http://{known}" for known in self.hosts} or headers.get(
            "sec-fetch-site", "same-origin"
        ) != ("same-origin"):
            return _refuse(403, "the form comes from another page; send it from this one")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return _refuse(415, f"a form is sent as {FORM}")
        return None

    def _known(self, token: str) -> bool:
        if _same(token, self._once):
            self._once = {one for one in self._once if not secrets.compare_digest(one, token)}
            return True
        return _same(token, [self.token])

    def _enter(self, path: str, query: dict[str, list[str]]) -> Response:
        """Trade the token for a cookie, and take it out of the address."""
        rest = urlencode({name: values for name, values in query.items() if name != "token"}, doseq=True)
        place = "/" + path.lstrip("/\\") + (f"?{rest}" if rest else "")  # never //elsewhere
        answer = RedirectResponse(place, 303)
        answer.set_cookie(self.cookie, self._session, httponly=True, samesite="strict", path="/")
        return answer


def _same(given: str, wanted: Iterable[str]) -> bool:
    """Compare with every secret, in a time that does not depend on what is given."""
    found = False
    for one in wanted:
        found |= secrets.compare_digest(given.encode(), one.encode())
    return found


def _cookie(headers: Headers, name: str) -> str:
    for part in headers.get("cookie", "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return ""


def _refuse(status: int, why: str) -> Response:
    return PlainTextResponse(f"{status}: {why}\n", status)


async def _body(receive: Receive) -> bytes | None:
    """Read a body, None when it is too large: whatever its length was said to be."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
