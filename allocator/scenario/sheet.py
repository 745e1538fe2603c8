"""One table under one overlay: cells changed and rows dropped, column by column, and a record of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.scenario.overlay import Change, fault
from allocator.scenario.values import Refused, cell, check_bounds, new_cell
from allocator.tables.columns import Column
from allocator.tables.convert import rendered
from allocator.tables.draft import Draft
from allocator.tables.findings import Finding, nearest

Mask = NDArray[np.bool_]
_DAYS = 4_000_000
"""More days than any calendar has here."""
SEPARATOR = "/"
DROPPED = "*"
"""Column of a record that is about a whole row."""


@dataclass(frozen=True)
class Record:
    """What one change did to one column: positions in the base table, cells before and after as text."""

    number: int
    column: str
    at: NDArray[np.int64]
    before: pa.Array
    after: pa.Array


@dataclass
class Sheet:
    """One base table as one overlay leaves it.

    Attributes
    ----------
    draft : Draft
        The base table, never changed.
    plain : dict of str to pyarrow.Array
        Changed columns, words as text.
    touched : dict of str to (N,) bool
        Rows each changed column was changed in.
    alive : (N,) bool
        Rows not dropped.
    records : list of Record
    """

    draft: Draft
    plain: dict[str, pa.Array] = field(default_factory=dict)
    touched: dict[str, Mask] = field(default_factory=dict)
    alive: Mask = field(init=False)
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alive = np.ones(len(self.draft), bool)

    def column(self, name: str) -> pa.Array:
        """Return a column as it is by now, words as text."""
        return self.plain[name] if name in self.plain else plain(self.draft[name])

    def apply(self, number: int, change: Change, source: str, findings: list[Finding]) -> None:
        """Apply one change; what can't be applied is reported and left out."""
        where, before = f"{source}, change {number}", len(findings)
        matched = self._matched(change.where, where, findings)
        edits = list(self._edits(change, where, findings))
        if len(findings) > before:
            return
        mask = self.alive & matched
        if not mask.any():
            words = " and ".join(f"{name} = {value!r}" for name, value in change.where.items()) or "every row"
            rule = f"matches no row of {change.table} ({words})"
            findings.append(fault(where, None, None, rule, "look the values up in the table, or take the change away"))
            return
        at = np.flatnonzero(mask)
        if change.drop:
            self._record(number, DROPPED, at, pa.array([""] * len(at)), pa.array(["dropped"] * len(at)))
            self.alive &= ~mask
            return
        for kind, column, value in edits:
            try:
                self._edit(number, kind, column, value, mask, at)
            except Refused as error:
                findings.append(fault(where, f"{kind}.{column.name}", value, error.rule, error.mend))

    def _matched(self, where: Mapping[str, Any], source: str, findings: list[Finding]) -> Mask:
        mask = np.ones(len(self.draft), bool)
        for name, wanted in where.items():
            column = known(self.draft, name, source, "where", findings)
            if column is None:
                continue
            cells = self.column(name)
            picked: list[pa.Scalar] = []
            for value in wanted if isinstance(wanted, list) else [wanted]:
                try:
                    picked.append(cell(value, column))
                except Refused as error:
                    findings.append(fault(source, f"where.{name}", value, error.rule, error.mend))
            values = pa.array([scalar.as_py() for scalar in picked], cells.type)
            lost = pc.invert(pc.is_in(values, value_set=cells)).to_numpy(zero_copy_only=False)
            missing = values.filter(pa.array(lost)).to_pylist()
            findings += [_absent(source, name, value, cells, self.draft.spec.name) for value in missing]
            mask &= pc.is_in(cells, value_set=values).to_numpy(zero_copy_only=False)
        return mask

    def _edits(self, change: Change, source: str, findings: list[Finding]) -> Iterator[tuple[str, Column, Any]]:
        """Yield each edit whose column is known and may be edited so; the rest is reported."""
        seen: dict[str, str] = {}
        for kind, edits in (("set", change.set), ("scale", change.scale), ("add", change.add)):
            for name, value in edits.items():
                column = known(self.draft, name, source, kind, findings)
                if column is None:
                    continue
                rule = mend = ""
                kinds = {"scale": ("amount", "whole"), "add": ("amount", "whole", "date")}.get(kind)
                if column.key:
                    rule, mend = "is part of the key", "drop the row and append another"
                elif kinds and (column.kind not in kinds or column.wild):
                    rule, mend = f"holds no numbers to {kind}", "use set"
                elif name in seen:
                    rule, mend = f"stands under {seen[name]} too", "make two changes of it; they are applied in order"
                seen[name] = kind
                if rule:
                    findings.append(fault(source, f"{kind}.{name}", None, rule, mend))
                else:
                    yield kind, column, value
        if change.drop and seen:
            findings.append(fault(source, "drop", None, "stands beside set, scale or add", "keep one of them"))
        elif not (change.drop or seen or change.set or change.scale or change.add):
            findings.append(fault(source, None, None, "changes nothing", "give set, scale, add or drop = true"))

    def _edit(self, number: int, kind: str, column: Column, value: Any, mask: Mask, at: NDArray[np.int64]) -> None:
        cells = self.column(column.name)
        before = cells.take(pa.array(at))
        if kind == "set":
            made = new_cell(value, column)
            after = pa.nulls(len(at), cells.type) if not made.is_valid else pa.repeat(made.cast(cells.type), len(at))
        else:
            after = moved(before, kind, value, column)
        self.plain[column.name] = pc.replace_with_mask(cells, pa.array(mask), after)
        self.touched[column.name] = self.touched.get(column.name, np.zeros(len(mask), bool)) | mask
        self._record(number, column.name, at, before, after)

    def _record(self, number: int, column: str, at: NDArray[np.int64], before: pa.Array, after: pa.Array) -> None:
        self.records.append(Record(number, column, at, as_text(before), as_text(after)))


def moved(before: pa.Array, kind: str, value: float, column: Column) -> pa.Array:
    """Scale figures, or add to figures or days.

    Raises
    ------
    Refused
        When every cell is blank, or a result is not whole where it must be, or is out of bounds.
    """
    if before.null_count == len(before):
        raise Refused(f"finds only blank cells to {kind}", "use set")
    if column.kind == "date":
        if value != int(value):
            raise Refused("is not a whole number of days", "give whole days")
        if abs(value) > _DAYS:
            raise Refused("gives days beyond the calendar", "give fewer days")
        shifted = pc.add(before.cast(pa.int32()).cast(pa.int64()), int(value))
        return _fitted(lambda: shifted.cast(pa.int32()).cast(before.type))
    figures = before.cast(pa.float64())
    figures = pc.multiply(figures, float(value)) if kind == "scale" else pc.add(figures, float(value))
    figures = pc.add(figures, 0.0)  # turns -0.0 into 0.0
    ends = pc.min_max(figures).as_py()
    for end in (ends["min"], ends["max"]):
        if not np.isfinite(end) or abs(end) > 1e12:
            raise Refused(f"gives {end:g}, beyond 1e+12", "check the number")
        try:
            check_bounds(end, column)
        except Refused as error:
            raise Refused(f"gives {end:g}, which {error.rule}", "narrow the where, or give another number") from None
    if column.kind == "whole":
        if not pc.all(pc.equal(pc.floor(figures), figures)).as_py():
            raise Refused("gives figures that are not whole", "use add or set, or a factor that keeps them whole")
        return figures.cast(pa.int64())
    return figures


def _fitted(make: Any) -> pa.Array:
    try:
        return make()
    except pa.ArrowException:
        raise Refused("gives days beyond the calendar", "give fewer days") from None


def known(draft: Draft, name: str, source: str, kind: str, findings: list[Finding]) -> Column | None:
    """Return the declaration of a column; an unknown one is reported."""
    if name in draft.spec.names:
        return draft.spec.column(name)
    like = nearest(name, draft.spec.names)
    mend = f"rename it to {like}" if like else f"the columns are {', '.join(draft.spec.names)}"
    findings.append(fault(source, f"{kind}.{name}", None, f"is no column of {draft.spec.name}", mend))
    return None


def _absent(source: str, name: str, value: Any, cells: pa.Array, table: str) -> Finding:
    mend = "take it away, or look it up in the table"
    if isinstance(value, str):
        like = nearest(value, [word for word in pc.unique(cells).to_pylist() if word is not None])
        mend = f"did you mean {like}?" if like else mend
    shown = "a blank" if value is None else value
    return fault(source, f"where.{name}", shown, f"matches no row of {table}", mend)


def plain(column: pa.Array) -> pa.Array:
    """Return a column with its words as text."""
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def as_text(cells: pa.Array) -> pa.Array:
    """Write cells as text, blank where empty."""
    if pa.types.is_floating(cells.type):
        return pa.array([text or "" for text in rendered(cells)], pa.string())
    return pc.fill_null(cells.cast(pa.string()), "")


def key_text(draft: Draft, at: NDArray[np.int64]) -> pa.Array:
    """Write the keys of some rows as one text each, the key columns in schema order."""
    where = pa.array(at)
    parts = [pc.fill_null(plain(draft[name]).take(where).cast(pa.string()), "") for name in draft.spec.keys]
    return pc.binary_join_element_wise(*parts, SEPARATOR) if len(parts) > 1 else parts[0]
