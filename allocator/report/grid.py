"""A table for the page: top rows of a frame, each cell with the text shown and the figure it sorts by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from allocator.report.words import amount, day, is_missing, number, share


@dataclass(frozen=True)
class Column:
    """A column to show: its name in the frame, heading, and how a cell is written."""

    name: str
    heading: str
    kind: str = "text"  # text, count (whole or 2 decimals), money (2 decimals), share (per cent), date
    notes: Mapping[str, str] = field(default_factory=dict)  # what a code means, shown after it
    links: Mapping[str, str] = field(default_factory=dict)  # address where a code is told more of

    @property
    def right(self) -> bool:
        """Whether cells stand at the right edge."""
        return self.kind in ("count", "money", "share")

    def words(self, value: Any) -> str:
        """Write one cell."""
        if is_missing(value):
            return ""
        writers: dict[str, Callable[[Any], str]] = {
            "count": amount,
            "money": lambda figure: number(figure, 2),
            "share": share,
            "date": day,
            "text": str,
        }
        return writers[self.kind](value)

    def key(self, value: Any) -> str | None:
        """Give what the cell sorts by where that differs from its words."""
        if is_missing(value) or self.kind == "text":
            return str(value) if self.notes and not is_missing(value) else None
        return str(value)[:10] if self.kind == "date" else f"{float(value):.6g}"

    def cell(self, value: Any) -> Cell:
        """Make one cell."""
        code = "" if is_missing(value) else str(value)
        return Cell(self.words(value), self.key(value), self.notes.get(code, ""), self.links.get(code, ""))


@dataclass(frozen=True)
class Cell:
    """One cell: its words, what it sorts by (and is downloaded as), a note after it, and where it leads."""

    words: str
    key: str | None
    note: str = ""
    link: str = ""


@dataclass(frozen=True)
class Grid:
    """A table ready to draw.

    Attributes
    ----------
    name : str
        Identifier in the page and name of its download.
    caption : str
        What it shows, and how many of how many rows.
    columns : sequence of Column
        The columns.
    rows : list of list of Cell
        The rows shown.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: list[list[Cell]]


def grid(
    name: str,
    caption: str,
    frame: pd.DataFrame,
    columns: Sequence[Column],
    top: int,
    first: str = "",
    count: int | None = None,
) -> Grid:
    """Take the top rows of a sorted frame; `first` says by what it is sorted, `count` how many rows there are in all."""
    shown, whole = frame.head(top), len(frame) if count is None else count
    order = f", {first} first" if first and whole > 1 else ""
    said = f"{number(len(shown))} of {number(whole)} rows" if len(shown) < whole else _rows(whole)
    values = [shown[column.name].tolist() for column in columns]
    rows = [
        [column.cell(value) for column, value in zip(columns, row, strict=True)] for row in zip(*values, strict=True)
    ]
    return Grid(name, f"{caption} ({said}{order})", columns, rows)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{number(count)} rows"
