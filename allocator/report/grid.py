"""A table for the page: top rows of a frame, each cell with the text shown and the figure it sorts by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from allocator.report.words import amount, day, is_missing, number


@dataclass(frozen=True)
class Column:
    """A column to show: its name in the frame, heading, and how a cell is written."""

    name: str
    heading: str
    kind: str = "text"  # text, count (whole or 2 decimals), money (2 decimals), date

    @property
    def right(self) -> bool:
        """Whether cells stand at the right edge."""
        return self.kind in ("count", "money")

    def words(self, value: Any) -> str:
        """Write one cell."""
        if is_missing(value):
            return ""
        writers: dict[str, Callable[[Any], str]] = {
            "count": amount,
            "money": lambda figure: number(figure, 2),
            "date": day,
            "text": str,
        }
        return writers[self.kind](value)

    def key(self, value: Any) -> str | None:
        """Give what the cell sorts by where that differs from its words."""
        if is_missing(value) or self.kind == "text":
            return None
        return str(value)[:10] if self.kind == "date" else f"{float(value):.6g}"


@dataclass(frozen=True)
class Cell:
    """One cell: its words and what it sorts by."""

    words: str
    key: str | None


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


def grid(name: str, caption: str, frame: pd.DataFrame, columns: Sequence[Column], top: int, first: str = "") -> Grid:
    """Take the top rows of a sorted frame; `first` says by what it is sorted."""
    shown = frame.head(top)
    order = f", {first} first" if first and len(frame) > 1 else ""
    count = f"{number(len(shown))} of {number(len(frame))} rows" if len(shown) < len(frame) else _rows(len(frame))
    values = [shown[column.name].tolist() for column in columns]
    rows = [
        [Cell(column.words(value), column.key(value)) for column, value in zip(columns, row, strict=True)]
        for row in zip(*values, strict=True)
    ]
    return Grid(name, f"{caption} ({count}{order})", columns, rows)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{number(count)} rows"
