"""A network folder put into a database, as tests need it: with proper types, or all as text."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pyarrow as pa

from allocator.databases import Session, connect, identifier, parse_address
from allocator.tables.columns import Column
from allocator.tables.schema import SCHEMA

_POSTGRESQL = {"date": "DATE", "whole": "INTEGER", "amount": "NUMERIC", "flag": "BOOLEAN"}
_SQLITE = {"whole": "INTEGER", "amount": "REAL"}


def put(folder: Path, url: str, typed: bool = True, document: bool = True) -> None:
    """Make a table of each CSV file of a network folder, and the table of the settings."""
    with connect(parse_address(url)) as session, session.transaction():
        for path in sorted(folder.glob("*.csv")):
            _table(session, path, typed)
        text = (folder / "network.toml").read_text("utf-8")
        if document:
            fill(session, "network", ["document"], [[text]])
        else:
            fill(session, "network", ["key", "value"], [list(pair) for pair in _settings(text)])


def fill(
    session: Session, table: str, names: list[str], rows: list[list[str | None]], kinds: str | list[str] = "TEXT"
) -> None:
    """Make a table with rows of texts in columns of some types."""
    kinds = [kinds] * len(names) if isinstance(kinds, str) else kinds
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in zip(names, kinds, strict=True))
    session.run(f"CREATE TABLE {identifier(table)} ({columns})")
    cells = {name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(names)}
    session.load("incoming", pa.table(cells))
    casts = zip(names, kinds, strict=True)
    wanted = ", ".join(identifier(n) if kind == "TEXT" else f"CAST({identifier(n)} AS {kind})" for n, kind in casts)
    session.run(f"INSERT INTO {identifier(table)} SELECT {wanted} FROM incoming")


def _table(session: Session, path: Path, typed: bool) -> None:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        names, *rows = csv.reader(handle)
    spec = SCHEMA[path.stem]
    kinds = ["TEXT" if not typed else _kind(spec.column(name), session.address.kind) for name in names]
    fill(session, path.stem, names, [[cell or None for cell in row] for row in rows], kinds)


def _kind(column: Column, database: str) -> str:
    kinds = _SQLITE if database == "sqlite" else _POSTGRESQL
    return "TEXT" if column.wild else kinds.get(column.kind, "TEXT")


def _settings(text: str) -> list[tuple[str, str]]:
    values = tomllib.loads(text)
    return [(key, _written(value)) for key, value in values.items()]


def _written(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {inner}' for key, inner in value.items()) + " }"
    return str(value)
