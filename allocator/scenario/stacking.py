"""Overlays stacked on a base network: each read against the base alone, so that their order never matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.scenario.overlay import Overlay, fault
from allocator.scenario.sheet import DROPPED, Record, Sheet, as_text, key_text, known, plain
from allocator.scenario.values import Refused, check_type, stated, text_of
from allocator.tables.convert import coded, distinct
from allocator.tables.draft import Draft, make_draft
from allocator.tables.findings import Faults, Finding, InputError, nearest
from allocator.tables.keys import indices
from allocator.tables.schema import SCHEMA
from allocator.tables.settings import Settings, make_settings
from allocator.tables.sources import Raw

CHANGES = pa.schema(
    [
        ("overlay", pa.string()),
        ("part", pa.string()),
        ("number", pa.int64()),
        ("table", pa.string()),
        ("key", pa.string()),
        ("column", pa.string()),
        ("before", pa.string()),
        ("after", pa.string()),
    ]
)
"""The list of what each change touched: a row for each cell, for each dropped row and for each appended row."""


@dataclass
class Stack:
    """Overlays to lay on a network, and afterwards what they did; `amend` is what the reader calls.

    Attributes
    ----------
    overlays : sequence of Overlay
    findings : list of Finding
        Faults of the overlays themselves; they are no faults of the tables, whose checks go on.
    parts : list of pyarrow.Table
        What was touched, in the columns of `CHANGES`.
    places : dict
        (table, row number) -> (column or None, overlay's file, part and number), to name the overlay in a finding.
    """

    overlays: Sequence[Overlay]
    findings: list[Finding] = field(default_factory=list)
    parts: list[pa.Table] = field(default_factory=list)
    places: list[tuple[str, str | None, NDArray[np.int64], str]] = field(default_factory=list)
    added: list[tuple[str, int, int, str]] = field(default_factory=list)

    def amend(
        self, drafts: dict[str, Draft], settings: Settings | None, faults: Faults
    ) -> tuple[dict[str, Draft], Settings | None]:
        """Lay the overlays on tables that are read but not yet checked; every fault is reported."""
        unread, findings = {finding.table for finding in faults.whole}, self.findings
        if settings is not None:
            settings = self._settings(settings, findings)
        sheets = [self._sheets(overlay, drafts, unread, findings) for overlay in self.overlays]
        self._clashes(sheets, findings)
        done = dict(drafts)
        for table in SCHEMA:
            mine = [sheet[table] for sheet in sheets if table in sheet]
            if mine:
                self._lines(table, drafts[table], faults)
                done[table] = _merged(drafts[table], mine)
        for overlay in self.overlays:
            self._append(overlay, done, unread, faults, findings)
        self._keep(sheets)
        return done, settings

    def changes(self) -> pa.Table:
        """Return the list of what was touched."""
        return pa.concat_tables(self.parts) if self.parts else CHANGES.empty_table()

    def error(self, found: InputError | None = None) -> InputError:
        """Join the overlays' own faults and those of the resolved network, each with the overlay that brought it about."""
        named = [self._named(finding) for finding in found.findings] if found else []
        return InputError([*self.findings, *named], len(self.findings) + (found.total if found else 0))

    def _named(self, finding: Finding) -> Finding:
        if finding.row is None:
            return finding
        for table, first, last, source in self.added:
            if table == finding.table and first <= finding.row <= last:
                return replace(finding, source=source, row=finding.row - first + 1)
        found = [
            (column == finding.column, source)
            for table, column, rows, source in self.places
            if table == finding.table and finding.row in rows
        ]
        if not found:
            return finding
        return replace(finding, rule=f"{finding.rule} (changed by {max(found, key=lambda pair: pair[0])[1]})")

    def _settings(self, settings: Settings, findings: list[Finding]) -> Settings:
        values, taken = stated(settings), dict[str, str]()
        for overlay in self.overlays:
            for key, value in overlay.content.set.items():
                nested = isinstance(value, dict) and key == "min_fill"
                for path in [f"{key}.{inner}" for inner in value] if nested else [key]:
                    if path in taken:
                        rule = f"is set by {taken[path]} too"
                        findings.append(
                            fault(f"{overlay.source}, [set]", path, None, rule, "set it in one of them only")
                        )
                    taken[path] = overlay.source
                    was = values.get(key) or {} if nested else values.get(key, "")
                    inner = path.partition(".")[2]
                    before, after = (was.get(inner, ""), value[inner]) if nested else (was, value)
                    self._part(overlay, "set", 0, "network", [path], [path], [str(before)], [str(after)])
                if key == "previous_plan" and isinstance(value, str):
                    value = overlay.path.parent / value
                values[key] = {**(values.get(key) or {}), **value} if nested else value
        if not taken:
            return settings
        try:
            return make_settings(values, "[set]")
        except InputError as error:
            for finding in error.findings:
                source = f"{taken.get(str(finding.column), ' and '.join(sorted(set(taken.values()))))}, [set]"
                findings.append(replace(finding, table="scenario", source=source))
            return settings

    def _sheets(
        self, overlay: Overlay, drafts: dict[str, Draft], unread: set[str], findings: list[Finding]
    ) -> dict[str, Sheet]:
        sheets: dict[str, Sheet] = {}
        for number, change in enumerate(overlay.content.change, 1):
            if not _is_table(change.table, f"{overlay.source}, change {number}", findings) or change.table in unread:
                continue
            sheet = sheets.setdefault(change.table, Sheet(drafts[change.table]))
            sheet.apply(number, change, overlay.source, findings)
        return sheets

    def _clashes(self, sheets: list[dict[str, Sheet]], findings: list[Finding]) -> None:
        """Report cells that two overlays change, and rows that one changes and another drops."""
        for second in range(len(sheets)):
            for first in range(second):
                for table in sorted(sheets[first].keys() & sheets[second].keys()):
                    a, b = sheets[first][table], sheets[second][table]
                    pairs = [(column, a.touched[column] & b.touched[column]) for column in a.touched.keys() & b.touched]
                    pairs += [(column, mask & ~b.alive) for column, mask in a.touched.items()]
                    pairs += [(column, mask & ~a.alive) for column, mask in b.touched.items()]
                    for column, mask in sorted(pairs, key=lambda pair: pair[0]):
                        if mask.any():
                            at = np.flatnonzero(mask)
                            key = key_text(a.draft, at[:1])[0].as_py()
                            cells = "1 cell" if len(at) == 1 else f"{len(at):,} cells"
                            rule = (
                                f"is changed in {cells} of {table} by {self.overlays[first].source} too (first: {key})"
                            )
                            mend = "make one scenario of both, or narrow a where"
                            findings.append(fault(self.overlays[second].source, column, None, rule, mend))

    def _lines(self, table: str, draft: Draft, faults: Faults) -> None:
        """Turn counted CSV rows into lines of the file now: appended rows have no line."""
        if table in faults.recount and not any(batch.table == table for batch in faults.batches):
            lines = faults.recount.pop(table)()
            if lines is not None and (not len(draft) or draft.rows.max() - 2 < len(lines)):
                draft.rows[:] = lines[draft.rows - 2]

    def _append(
        self, overlay: Overlay, done: dict[str, Draft], unread: set[str], faults: Faults, findings: list[Finding]
    ) -> None:
        for number, append in enumerate(overlay.content.append, 1):
            source = f"{overlay.source}, append {number}"
            if not _is_table(append.table, source, findings) or append.table in unread:
                continue
            spec, before = SCHEMA[append.table], len(findings)
            for place, row in enumerate(append.rows, 1):
                for name, value in row.items():
                    column = known(done[append.table], name, f"{source}, row {place}", "rows", findings)
                    if column is not None:
                        _check(value, column, f"{source}, row {place}", findings)
            if len(findings) > before:
                continue
            # a required column that no row states is a blank cell of each, so that it is refused as one
            names = [c.name for c in spec.columns if c.required or any(c.name in row for row in append.rows)]
            cells = {
                name: pa.array([text_of(row[name]) if name in row else "" for row in append.rows], pa.string())
                for name in names
            }
            self._lines(append.table, done[append.table], faults)
            held = done[append.table]
            first = int(held.rows.max(initial=1)) + 1
            raw = Raw(pa.table(cells), held.source, np.arange(first, first + len(append.rows)))
            made = make_draft(raw, spec, faults)
            self.added.append((append.table, first, first + len(append.rows) - 1, source))
            keys = key_text(made, np.arange(len(made))).to_pylist()
            empty, news = [""] * len(keys), ["appended"] * len(keys)
            self._part(overlay, "append", number, append.table, keys, [DROPPED] * len(keys), empty, news)
            done[append.table] = _joined(held, made)

    def _keep(self, sheets: list[dict[str, Sheet]]) -> None:
        for overlay, mine in zip(self.overlays, sheets, strict=True):
            records = [(record, sheet) for sheet in mine.values() for record in sheet.records]
            for record, sheet in sorted(records, key=lambda pair: pair[0].number):
                self._touched(overlay, record, sheet.draft)

    def _touched(self, overlay: Overlay, record: Record, draft: Draft) -> None:
        columns = [record.column] * len(record.at)
        keys = key_text(draft, record.at)
        table = draft.spec.name
        self._part(overlay, "change", record.number, table, keys, columns, record.before, record.after)
        column = None if record.column == DROPPED else record.column
        source = f"{overlay.source}, change {record.number}"
        self.places.append((table, column, draft.rows[record.at], source))

    def _part(
        self, overlay: Overlay, part: str, number: int, table: str, key: Any, column: Any, before: Any, after: Any
    ) -> None:
        count = len(key)
        fixed = [[overlay.name] * count, [part] * count, [number] * count, [table] * count]
        arrays = [pa.array(list(cells)) if isinstance(cells, list) else cells for cells in (key, column, before, after)]
        self.parts.append(pa.table([*(pa.array(cells) for cells in fixed), *arrays], schema=CHANGES))


def _is_table(name: str, source: str, findings: list[Finding]) -> bool:
    if name in SCHEMA:
        return True
    like = nearest(name, SCHEMA)
    mend = f"rename it to {like}" if like else f"the tables are {', '.join(SCHEMA)}"
    findings.append(fault(source, "table", name, "is not a table of a network", mend))
    return False


def _check(value: Any, column: Any, source: str, findings: list[Finding]) -> None:
    try:
        check_type(value, column)
    except Refused as error:
        findings.append(fault(source, f"rows.{column.name}", value, error.rule, error.mend))


def _merged(base: Draft, sheets: Sequence[Sheet]) -> Draft:
    """Lay the changed cells of every overlay into one table, and take dropped rows away."""
    columns, alive = dict(base.columns), np.ones(len(base), bool)
    for sheet in sheets:
        alive &= sheet.alive
    for name in {name for sheet in sheets for name in sheet.plain}:
        cells = plain(base[name])
        for sheet in sheets:
            if name in sheet.plain:
                mask = pa.array(sheet.touched[name])
                cells = pc.replace_with_mask(cells, mask, sheet.plain[name].filter(mask))
        columns[name] = _held(cells, base[name].type)
    draft = Draft(base.spec, columns, base.rows, base.source)
    return draft if alive.all() else draft.take(np.flatnonzero(alive))


def _held(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_dictionary(kind):
        return cells
    words, index = distinct(pa.chunked_array([cells]))
    return coded(words, index)


def _joined(held: Draft, made: Draft) -> Draft:
    columns = {}
    for name, cells in held.columns.items():
        more = made.columns[name]
        if pa.types.is_dictionary(cells.type):
            words = pa.concat_arrays([cells.dictionary, more.dictionary])
            index = indices(more)
            shifted = np.where(index < 0, -1, index + len(cells.dictionary))
            columns[name] = coded(words, np.concatenate([indices(cells), shifted]))
        else:
            columns[name] = pa.concat_arrays([cells, more])
    return Draft(held.spec, columns, np.concatenate([held.rows, made.rows]), held.source)


__all__ = ["CHANGES", "Stack", "as_text"]
