"""Who is let in, and what a page may do: token, cookie, host, origin, forged forms, size, paths, headers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.serve.served import FORM, NASTY, Client, served, write_network


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to serve, `in`, with a network and a scenario whose words are markup, beside a secret."""
    folder = tmp_path_factory.mktemp("gate")
    text = f"base = \"small\"\ndescription = '{NASTY}'\n[set]\ncommit_days = 1\n"
    write_network(folder / "in", plain=text, **{NASTY.replace("/", ""): text})
    (folder / "secret.toml").write_text('base = "in/small"\ndescription = "secret"\n', encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    """A browser at the page over it."""
    with served(folder / "in") as client:
        yield client


def test_the_token_opens_and_leaves_the_address(client: Client) -> None:
    """The printed address answers with a cookie that scripts and other sites can't use, and an address without the token."""
    entered = client.ask("GET", f"/?token={client.token}&plan=a%20b")
    assert (entered.status, entered.to) == (303, "/?plan=a+b")
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.token not in entered.headers["set-cookie"] + entered.text
    assert client.get("/").status == 200


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=wrong", "/plan?plan=x", "/style.css", "/progress?run=1"])
def test_without_the_token_nothing_is_told(client: Client, path: str) -> None:
    """No token, a wrong one, or a wrong cookie: 403, and not a word of what lies in the folder."""
    for headers in ({}, {"Cookie": client.cookie[:-1] + "~"}, {"Cookie": client.cookie.partition("=")[0] + "="}):
        refused = client.ask("GET", path, **headers)
        assert refused.status == 403
        assert "small" not in refused.text


def test_a_spent_token_opens_nothing(client: Client) -> None:
    """The token of a browser that is opened for the user is good once."""
    path = client.server.once().partition("/?")[2]
    assert client.ask("GET", f"/?{path}").status == 303
    assert client.ask("GET", f"/?{path}").status == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1.evil.example:80", ""])
def test_another_host_is_refused(client: Client, host: str) -> None:
    """A name that a rebinding DNS server made point here is refused, cookie and token or not."""
    assert client.ask("GET", f"/?token={client.token}", Host=host, Cookie=client.cookie).status in (400, 421)


@pytest.mark.parametrize(
    ("headers", "csrf"),
    [
        ({"Origin": "http://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": "here"}, False),
    ],
)
def test_forged_forms_are_refused(client: Client, headers: dict[str, str], csrf: bool) -> None:
    """A form from elsewhere, or without this server's secret, does nothing, even with the cookie."""
    sent = {"Cookie": client.cookie, "Content-Type": FORM} | headers
    if sent.get("Origin") == "here":
        sent["Origin"] = f"http://{client.host}"
    fields = {"network": "small", "csrf": client.server.gate.csrf if csrf else "guess"}
    assert client.ask("POST", "/start", urlencode(fields), **sent).status == 403
    assert "Runs since" not in client.get("/").text


def test_large_and_foreign_bodies_are_refused(client: Client) -> None:
    """Bodies are bounded, however they are sent, and must be forms; other methods are not answered."""
    sent = {"Cookie": client.cookie, "Origin": f"http://{client.host}", "Content-Type": FORM}
    assert client.ask("POST", "/edit", b"a=" + b"x" * (1 << 20), **sent).status == 413
    assert client.ask("POST", "/edit", "&".join(f"a{n}=" for n in range(30_000)), **sent).status == 400
    assert client.ask("POST", "/edit", "{}", **sent | {"Content-Type": "application/json"}).status == 415
    assert client.ask("DELETE", "/", Cookie=client.cookie).status == 405
    assert client.ask("POST", "/plan", "", **sent).status == 405


@pytest.mark.parametrize(
    "name", ["../secret.toml", "/etc/passwd", "..", "small/../../secret.toml", "small/network.toml", "\0"]
)
def test_names_outside_the_list_are_not_there(client: Client, name: str) -> None:
    """A place that was not found under the folder is no place, however it is written."""
    for path, field in (("/edit", "scenario"), ("/plan", "plan"), ("/report", "plan"), ("/edit", "network")):
        answer = client.get(path, **{field: name})
        assert answer.status == 404
        assert "secret" not in answer.text.replace(name, "").replace("secret.toml", "")
    assert client.ask("GET", "/../../etc/passwd", Cookie=client.cookie).status == 404
    assert client.ask("GET", "/%2e%2e/secret.toml", Cookie=client.cookie).status == 404


@pytest.mark.parametrize("name", ["../out", "a/b", ".hidden", "", "x" * 61, "network", "a\nb", "é"])
def test_scenarios_are_saved_under_plain_names_only(client: Client, folder: Path, name: str) -> None:
    """A name that is a path, hidden, blank or too long is refused beside its field, and nothing is written."""
    before = sorted(folder.rglob("*"))
    answer = client.post("/edit", network="small", name=name, action="save", rest="[set]\ncommit_days = 1\n")
    assert answer.status == 400
    assert "is no name for a file" in answer.words
    assert sorted(folder.rglob("*")) == before


def test_words_from_files_never_become_markup(client: Client) -> None:
    """A description and a file's name that are markup are shown as they are written."""
    page = client.get("/")
    assert "<script>alert" not in page.text
    assert page.text.count("<script") == 1
    assert NASTY in page.words
    assert "<script>alert" not in client.get("/plan", plan=NASTY).text
    shown = client.get("/edit", scenario="plain.toml")
    assert shown.status == 200
    assert "<script>alert" not in shown.text


def test_every_answer_has_its_headers(client: Client) -> None:
    """A strict policy, no framing, no sniffing, no cache, whether the answer is a page, a file or a refusal."""
    for answer in (client.get("/"), client.get("/style.css"), client.get("/nowhere"), client.ask("GET", "/")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
    text = "".join(client.get(path).text for path in ("/", "/style.css", "/script.js"))
    assert "http://" not in text
    assert "https://" not in text
