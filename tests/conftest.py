"""What tests of several folders share."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import pytest

from tests import postgres_server


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database of a PostgreSQL server: one that the tests start, or the one that the environment names."""
    reason = postgres_server.missing()
    if reason is not None:
        pytest.skip(reason)
    if own := os.environ.get(postgres_server.OWN):
        yield own
        return
    with postgres_server.running() as server:
        yield server.url


@pytest.fixture
def postgres_schema(postgres_url: str) -> Iterator[Callable[[], str]]:
    """Gives URLs of fresh, empty schemas; they are dropped at the end."""
    from allocator.databases import connect, identifier, parse_address

    number, made = itertools.count(), []

    def fresh() -> str:
        name = f"test {os.getpid()} {next(number)}"
        with connect(parse_address(postgres_url)) as session, session.transaction():
            session.run(f"CREATE SCHEMA {identifier(name)}")
        made.append(name)
        return postgres_url + ("&" if "?" in postgres_url else "?") + "schema=" + name.replace(" ", "%20")

    yield fresh
    with connect(parse_address(postgres_url)) as session, session.transaction():
        for name in made:
            session.run(f"DROP SCHEMA {identifier(name)} CASCADE")


@pytest.fixture(scope="session")
def own_server() -> Iterator[postgres_server.Server]:
    """A server that may be stopped."""
    reason = postgres_server.missing()
    if reason is not None or postgres_server.programs() is None:
        pytest.skip(reason or "no PostgreSQL server to stop here")
    with postgres_server.running() as server:
        yield server
