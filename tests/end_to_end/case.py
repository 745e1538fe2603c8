"""A network in memory, as rows: written, relabelled, shuffled and cut down by the end-to-end tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from allocator.tables.schema import SCHEMA

Row = dict[str, Any]
Rows = tuple[Row, ...]


@dataclass(frozen=True)
class Case:
    """A network folder not yet written.

    Attributes
    ----------
    settings : dict
        Keys of network.toml.
    tables : dict of str to tuple of rows
        A row is a dict; a missing or None cell is blank.
    """

    settings: dict[str, Any]
    tables: dict[str, Rows] = field(default_factory=dict)

    def __getitem__(self, table: str) -> Rows:
        return self.tables.get(table, ())

    def having(self, **tables: Rows | list[Row]) -> Case:
        """The case with some tables exchanged."""
        return replace(self, tables=self.tables | {name: tuple(rows) for name, rows in tables.items()})

    def setting(self, **settings: Any) -> Case:
        """The case with some settings exchanged; None takes one away."""
        merged = self.settings | settings
        return replace(self, settings={name: value for name, value in merged.items() if value is not None})

    def each(self, table: str, change: Callable[[Row], Mapping[str, Any]]) -> Case:
        """The case with cells of every row of a table changed."""
        return self.having(**{table: tuple(row | dict(change(row)) for row in self[table])})

    def shuffled(self, seed: int) -> Case:
        """The case with the rows of every table in another order."""
        draw = np.random.default_rng(seed)
        return self.having(
            **{name: tuple(rows[k] for k in draw.permutation(len(rows))) for name, rows in self.tables.items()}
        )

    def write(self, folder: Path) -> Path:
        """Write the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.tables.items():
            if rows or not SCHEMA[name].optional:
                (folder / f"{name}.csv").write_text(self.csv(name), encoding="utf-8")
        (folder / "network.toml").write_text(self.toml(), encoding="utf-8")
        return folder

    def csv(self, table: str) -> str:
        """A table as CSV: key columns and those that some row fills."""
        rows = self[table]
        spec = SCHEMA[table]
        required = [c.name for c in spec.columns if c.key or not (c.optional or c.default is not None)]
        names = [c.name for c in spec.columns if c.name in required or any(r.get(c.name) is not None for r in rows)]
        lines = [",".join(names)] + [",".join(_cell(row.get(name)) for name in names) for row in rows]
        return "\n".join(lines) + "\n"

    def toml(self) -> str:
        """network.toml."""
        plain = {name: value for name, value in self.settings.items() if not isinstance(value, dict)}
        lines = [f"{name} = {_literal(name, value)}" for name, value in plain.items()]
        for name, value in self.settings.items():
            if isinstance(value, dict) and value:
                lines += [f"[{name}]"] + [f'"{key}" = {entry}' for key, entry in value.items()]
        return "\n".join(lines) + "\n"

    def text(self) -> str:
        """All of it on one page, for reports of failures."""
        parts = [f"# network.toml\n{self.toml()}"]
        parts += [f"# {name}.csv\n{self.csv(name)}" for name, rows in self.tables.items() if rows]
        return "\n".join(parts)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _literal(name: str, value: Any) -> str:
    if name == "start":
        return str(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(str(entry) for entry in value) + "]"
    return json.dumps(str(value)) if isinstance(value, str | Path) else str(value)


def relabelled(case: Case, seed: int) -> Case:
    """The case with items and sites renamed so that their order changes, everywhere they are named.

    Lots keep their codes. A zone that is a site's name stays as it is: zones are names of their own.
    """
    draw = np.random.default_rng(seed)
    renamed = {
        "item": _names(draw, "X", [row["item"] for row in case["items"]]),
        "site": _names(draw, "P", [row["site"] for row in case["sites"]]),
    }
    columns = {"item": "item", "site": "site", "origin": "site", "destination": "site"}

    def rename(row: Row) -> Row:
        named = {
            column: renamed[kind].get(row[column], row[column])
            for column, kind in columns.items()
            if row.get(column) is not None
        }
        return row | named

    return case.having(**{name: tuple(rename(row) for row in rows) for name, rows in case.tables.items()})


def _names(draw: np.random.Generator, letter: str, old: list[str]) -> dict[str, str]:
    order = draw.permutation(len(old))
    return {name: f"{letter}{rank}" for name, rank in zip(old, order, strict=True)}
