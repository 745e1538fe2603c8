"""What became of an export: carried over, not carried over and why, assumed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from allocator.init.exports import Sheet, plain_name
from allocator.init.filling import Filled
from allocator.init.mapping import TABLE, Left
from allocator.tables.findings import plain
from allocator.tables.schema import SCHEMA


@dataclass(frozen=True)
class Report:
    """What became of an export; `lost` is all that was not carried over, `assumed` what the export does not say.

    Attributes
    ----------
    title, folder : str
        The tool, and where its export lies.
    start : datetime.date
    sheets : list of Sheet
        Tables of the export.
    kept : dict of str to DataFrame
        Tables of the network.
    filled : Filled
    ignore : dict of str to str
        Tables and columns that the map leaves out, and why.
    """

    title: str
    folder: str
    start: dt.date
    sheets: list[Sheet]
    kept: dict[str, pd.DataFrame]
    filled: Filled
    ignore: Mapping[str, str]

    @property
    def assumed(self) -> list[str]:
        """What the export does not say, and what was taken instead."""
        return self.filled.assumed

    @property
    def lost(self) -> list[str]:
        """One line for each reason: table, rows, why."""
        lines = [_line(left) for left in sorted(self.filled.left, key=lambda left: left.table)]
        for sheet in self.sheets:
            whole = not sheet.used
            if whole:
                why = self.ignore.get(plain_name(sheet.name), "the table has no place in a network")
                lines.append(f"{plain(sheet.name)}: all {len(sheet.frame):,} rows: {why}")
                continue
            untaken = np.flatnonzero(~sheet.taken) + 1
            if len(untaken):
                why = self.ignore.get(plain_name(sheet.name), "nothing of the network refers to them")
                lines.append(f"{plain(sheet.name)}: {_rows(untaken.tolist())}: {why}")
            lines += self._columns(sheet)
        return lines

    def _columns(self, sheet: Sheet) -> list[str]:
        lines = []
        for column in sheet.frame.columns:
            filled = int((sheet.frame[column] != "").sum())
            if column in sheet.used or not filled:
                continue
            why = self.ignore.get(f"{plain_name(sheet.name)}.{column}", "the column has no place in a network")
            lines.append(
                f"{plain(sheet.name)}, column {plain(sheet.titles.get(column, column))}: {filled:,} filled cells: {why}"
            )
        return lines

    def markdown(self) -> str:
        """Return the whole report as a page."""
        parts = [
            f"# What became of the export of {self.title}\n",
            f"Read from `{plain(self.folder)}`, first day planned {self.start}. Rows are counted from 1, the header not counted.\n",
            "## Carried over\n",
            "| table of the network | rows | from |",
            "|---|--:|---|",
            *(self._carried(name) for name in SCHEMA if name in self.kept),
        ]
        if self.filled.history is not None and len(self.filled.history):
            parts.append(
                f"| history/sales.csv (for `allocator forecast`) | {len(self.filled.history):,} | {_sources(self.filled.history)} |"
            )
        parts += ["\n## Not carried over\n", *(f"- {line}" for line in self.lost or ["nothing: all of it was"])]
        parts += [
            "\n## Assumed, because the export does not say\n",
            *(f"- {line}" for line in self.assumed or ["nothing"]),
        ]
        return "\n".join(parts) + "\n"

    def _carried(self, name: str) -> str:
        rows = self.kept[name]
        return f"| {name} | {len(rows):,} | {_sources(rows)} |"


def _sources(rows: pd.DataFrame) -> str:
    named = sorted({plain(str(table)) for table in rows.get(TABLE, ()) if table})
    return ", ".join(named) or "worked out from the other tables"


def _line(left: Left) -> str:
    column = f", column {plain(left.column)}" if left.column else ""
    return f"{plain(left.table)}{column}: {_rows(left.rows)}: {left.why}"


def _rows(rows: list[int]) -> str:
    """Row numbers as ranges: ``3 rows (1, 4-5)``."""
    if not rows:
        return "rows that were worked out"
    numbers = np.unique(rows)
    cuts = np.flatnonzero(np.diff(numbers) > 1)
    firsts, lasts = numbers[np.r_[0, cuts + 1]], numbers[np.r_[cuts, len(numbers) - 1]]
    spans = [str(a) if a == b else f"{a}-{b}" for a, b in zip(firsts.tolist(), lasts.tolist(), strict=True)]
    return f"{len(numbers):,} row{'s' if len(numbers) != 1 else ''} ({', '.join(spans)})"
