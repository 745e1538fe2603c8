"""What is wrong with the input: one finding per broken row, and the error that carries them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MAX_FINDINGS = 10_000
_SHOWN = 20
VALUE_LENGTH = 80
"""Characters of a value that a finding shows."""
_CANDIDATES = 5_000

Rows = NDArray[np.int64]
Texts = Callable[[Rows], Sequence[Any]]


@dataclass(frozen=True)
class Finding:
    """One fault of the input.

    Attributes
    ----------
    table : str
        Table name, ``network`` for the settings.
    row : int or None
        Line of a CSV file (the header is line 1), row of any other source (from 1), None for the whole file.
    column, value : str or None
        Where, and what was found there.
    rule, mend : str
        What is wrong with it ("is below 0"), and how to mend it.
    source : str
        The file's name, or the table's where there is no file.
    """

    table: str
    row: int | None
    column: str | None
    value: str | None
    rule: str
    mend: str
    source: str = ""

    def __str__(self) -> str:
        place = plain(self.source or self.table)
        if self.row is not None:
            place += f" {'line' if place.endswith('.csv') else 'row'} {self.row}"
        if self.column is not None:
            place += f", {'key' if self.table == 'network' else 'column'} {plain(self.column)}"
        found = "" if self.value is None else f"{quoted(self.value)} "
        return f"{place}: {found}{plain(self.rule)}; {plain(self.mend)}"


class InputError(ValueError):
    """The input breaks its rules; nothing was planned.

    Parameters
    ----------
    findings : iterable of Finding
        All faults, at most `MAX_FINDINGS` of them are kept.
    total : int, optional
        How many there are in all.
    """

    def __init__(self, findings: Iterable[Finding], total: int | None = None) -> None:
        kept = list(findings)
        self.total = len(kept) if total is None else total
        self.findings = kept[:MAX_FINDINGS]
        super().__init__(self.total)

    def __str__(self) -> str:
        lines = [str(finding) for finding in self.findings[:_SHOWN]]
        if self.total > len(lines):
            lines.append(f"and {self.total - len(lines):,} more")
        count = "1 fault" if self.total == 1 else f"{self.total:,} faults"
        return "\n".join([f"{count} in the input", *lines])


@dataclass(frozen=True)
class Fault:
    """The rows of one table that break one rule: positions and row numbers; texts are only made for rows that are told.

    A text is one for all rows, or a function of positions that gives one for each.
    """

    table: str
    source: str
    column: str | None
    at: Rows
    rows: Rows
    values: Texts | None
    rules: str | Texts
    mends: str | Texts

    def told(self, limit: int | None, lines: Rows | None) -> list[Finding]:
        """Return the first `limit` rows as findings; `lines` maps counted CSV rows to lines of the file."""
        pick = np.argsort(self.rows, kind="stable")[:limit]
        at, rows = self.at[pick], self.rows[pick]
        rows = rows if lines is None or rows.max() - 2 >= len(lines) else lines[rows - 2]
        values = self.values(at) if self.values else [None] * len(at)
        rules = [self.rules] * len(at) if isinstance(self.rules, str) else self.rules(at)
        mends = [self.mends] * len(at) if isinstance(self.mends, str) else self.mends(at)
        cells = zip(rows.tolist(), values, rules, mends, strict=True)
        table, column, source = self.table, self.column, self.source
        return [Finding(table, row, column, value, rule, mend, source) for row, value, rule, mend in cells]


@dataclass
class Faults:
    """Every fault found so far, by batches, so that a million broken rows cost arrays and not objects."""

    batches: list[Fault] = field(default_factory=list)
    whole: list[Finding] = field(default_factory=list)
    recount: dict[str, Callable[[], Rows | None]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many faults there are."""
        return len(self.whole) + sum(len(batch.at) for batch in self.batches)

    def file(self, table: str, source: str, rule: str, mend: str, column: str | None = None) -> None:
        """Report a fault of a whole file or column."""
        self.whole.append(Finding(table, None, column, None, rule, mend, source))

    def broken(self, table: str) -> Rows:
        """Return the positions of the rows of `table` with a fault, sorted."""
        found = [batch.at[batch.at >= 0] for batch in self.batches if batch.table == table]
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)

    def findings(self, order: Sequence[str], limit: int | None = MAX_FINDINGS) -> list[Finding]:
        """Return the faults one by one: files first, then by table, row and column."""
        exact = {table: count() for table, count in self.recount.items() if any(b.table == table for b in self.batches)}
        listed: list[Finding] = []
        for batch in self.batches:
            listed += batch.told(limit, exact.get(batch.table))
        rank = {table: i for i, table in enumerate(order)}
        listed.sort(key=lambda f: (rank.get(f.table, -1), f.row or 0, f.column or "", f.rule))
        return [*self.whole, *listed][:limit]

    def raise_any(self, order: Sequence[str]) -> None:
        """Raise `InputError` if there is any fault."""
        if self.total:
            raise InputError(self.findings(order), self.total)

    def frame(self, order: Sequence[str]) -> pd.DataFrame:
        """Return all faults as rows of table, row, column, value, rule, mend."""
        rows = [
            (f.table, f.row or 0, f.column or "", f.value or "", f.rule, f.mend) for f in self.findings(order, None)
        ]
        frame = pd.DataFrame(rows, columns=["table", "row", "column", "value", "rule", "mend"])
        return frame.astype({"row": "int64"} | {c: "str" for c in frame.columns if c != "row"})


def quoted(value: str) -> str:
    """Return a value fit for one line of a terminal: quoted, escaped, cut to a readable length."""
    return repr(value if len(value) <= VALUE_LENGTH else value[: VALUE_LENGTH - 1] + "…")


def plain(text: str) -> str:
    """Return a text without what could steer a terminal or break the line: such characters are spelled out."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def nearest(value: str, known: Iterable[str]) -> str | None:
    """Return the known word most like `value`, None if none is close."""
    likely = [word for word in known if abs(len(word) - len(value)) <= 2 + len(value) // 4]
    # difflib takes about 10 microseconds a word, so of very many only those that begin or end alike are compared
    alike = [word for word in likely if word[:2] == value[:2] or word[-2:] == value[-2:]]
    candidates = (likely if len(likely) <= _CANDIDATES else alike)[:_CANDIDATES]
    lower = {word.lower(): word for word in reversed(candidates)}
    if value.lower() in lower:
        return lower[value.lower()]
    close = get_close_matches(value, candidates, n=1, cutoff=0.6)
    return close[0] if close else None
