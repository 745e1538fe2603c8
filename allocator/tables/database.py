"""A network in a database: the same tables, read as the database was at one moment, with the same findings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from allocator.databases import Address, Session, connect
from allocator.memory import available
from allocator.tables.columns import TableSpec
from allocator.tables.convert import is_text
from allocator.tables.dialects import DIALECTS, Dialect
from allocator.tables.findings import Faults, Finding, nearest
from allocator.tables.places import Readable
from allocator.tables.schema import SCHEMA
from allocator.tables.settings import MAX_SIZE, Settings, checked_settings, parse_settings
from allocator.tables.sources import MAX_CELLS, MAX_ROWS, Raw, absent, check_columns

NETWORK = "network"
"""Table of the settings: columns key and value, or the one column document."""
PLAIN = ("name", "currency", "previous_plan")
"""Settings whose value is a text as it stands."""
SPARE = 128 << 20
"""Memory that stays free while rows come in. [bytes]"""


@contextmanager
def opened_database(address: Address) -> Iterator[Database]:
    """Open a database to read a network from.

    Raises
    ------
    DatabaseError
        When it can't be reached, or stops answering.
    """
    with connect(address, create=False, read_only=True) as session, session.reading():
        yield Database(session)


@dataclass
class Database:
    """A database that is open, at one moment."""

    session: Session
    shown: str = ""
    _dialect: Dialect = field(init=False)
    _columns: dict[str, dict[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.shown = self.session.address.shown
        self._dialect = DIALECTS[self.session.address.kind](self.session)
        self._columns = self._dialect.catalogue()

    def settings(self, faults: Faults) -> Settings | None:
        """Read the table `network`."""
        names = list(self._columns.get(NETWORK, ()))
        if sorted(names) not in (["key", "value"], ["document"]):
            rule = f"has the columns {', '.join(names)}" if names else "is missing"
            mend = "give it the columns key and value, one row a setting, or one column document with the text of network.toml"
            faults.file(NETWORK, NETWORK, rule, mend)
            return None
        cells = self._settings_text(names, faults)
        if cells is None:
            return None
        if names == ["document"]:
            if cells.num_rows != 1:
                faults.file(NETWORK, NETWORK, f"holds {cells.num_rows} documents", "keep one row")
                return None
            values = parse_settings(cells["document"][0].as_py() or "", NETWORK, faults)
        else:
            values = _values(cells["key"].to_pylist(), cells["value"].to_pylist(), faults)
        return None if values is None else checked_settings(values, NETWORK, None, faults)

    def _settings_text(self, names: list[str], faults: Faults) -> pa.Table | None:
        parts, size = [], 0
        for name in names:
            if self._dialect.expression(name, self._columns[NETWORK][name]) is None:
                faults.file(NETWORK, NETWORK, f"holds {self._columns[NETWORK][name]}", "give it as text", name)
                return None
        for part in self.session.batches(
            self._dialect.selection(NETWORK, self._columns[NETWORK], sorted(names), ["key"], MAX_SIZE)
        ):
            parts.append(part)
            size += part.nbytes
            if size > MAX_SIZE:
                faults.file(NETWORK, NETWORK, "is larger than 1 MB", "keep only the settings in it")
                return None
        text = pa.schema([(name, pa.string()) for name in sorted(names)])
        try:
            return pa.concat_tables(
                [pa.Table.from_batches([part]).cast(text) for part in parts] or [text.empty_table()]
            )
        except pa.ArrowException:
            faults.file(NETWORK, NETWORK, "holds bytes, not text", "give it as text")
            return None

    def find(self, faults: Faults) -> dict[str, Readable]:
        """Find the tables and views of the schema; others are left alone, unless they spell an absent one otherwise."""
        found: dict[str, Readable] = {name: self._read for name in SCHEMA if name in self._columns}
        for name in self._columns:
            like = next((known for known in SCHEMA if known not in found and _letters(known) == _letters(name)), None)
            if like is not None:
                faults.file(like, name, "is not a table of a network", f"rename it to {like}")
        absent(found, faults, "a table or view {0}")
        return found

    def left(self, faults: Faults) -> list[str]:
        """Note tables that are named almost as an absent one."""
        missing = [name for name in SCHEMA if name not in self._columns]
        others = [name for name in self._columns if name not in SCHEMA and name != NETWORK]
        likes = [(name, nearest(name, missing)) for name in others[:5000]]
        return [f"not read: table {name} (did you mean {like}?)" for name, like in likes if like]

    def _read(self, spec: TableSpec, faults: Faults) -> Raw | None:
        columns, before = self._columns[spec.name], faults.total
        check_columns(list(columns), spec, spec.name, faults)
        for name, kind in columns.items():
            if name in spec.names and self._dialect.expression(name, kind) is None:
                rule = f"holds {kind}" + (": a moment, not a day" if "time" in kind else "")
                about = spec.column(name).about
                faults.file(spec.name, spec.name, rule, f"give {about} in a column of another type, or in a view", name)
        if faults.total > before:
            return None
        parts: list[pa.RecordBatch] = []
        rows = held = 0
        for part in self.session.batches(self._dialect.selection(spec.name, columns, list(columns), spec.keys)):
            parts.append(_coded(part))
            rows, held = rows + part.num_rows, held + parts[-1].nbytes
            if _too_much(rows, held, spec, faults):
                return None
        return Raw(_joined(parts, list(columns)), spec.name, np.arange(1, rows + 1))


def _too_much(rows: int, held: int, spec: TableSpec, faults: Faults) -> bool:
    room = available()
    if rows > MAX_ROWS or rows * len(spec.names) > MAX_CELLS:
        faults.file(spec.name, spec.name, f"has more than {MAX_ROWS:,} rows", f"keep it to {MAX_CELLS:,} cells")
        return True
    if room is not None and room < SPARE:
        rule = f"takes more memory than is free ({held / 2**30:,.1f} GB were read of it)"
        faults.file(spec.name, spec.name, rule, "keep it smaller, or give the run more memory")
        return True
    return False


def _coded(part: pa.RecordBatch) -> pa.RecordBatch:
    """Words once each: a batch of long words that repeat takes little."""
    columns = [c.cast(pa.string()).dictionary_encode() if is_text(c.type) else c for c in part.columns]
    return pa.RecordBatch.from_arrays(columns, names=part.schema.names)


def _joined(parts: list[pa.RecordBatch], names: list[str]) -> pa.Table:
    """Parts below each other; a column whose parts are of several types becomes text."""
    if not parts:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    columns = {}
    for at, name in enumerate(parts[0].schema.names):
        chunks = [part.column(at) for part in parts]
        kinds = {chunk.type for chunk in chunks if not pa.types.is_null(chunk.type)}
        if len(kinds) > 1:
            chunks = [_as_words(chunk) for chunk in chunks]
            kinds = {chunks[0].type}
        kind = next(iter(kinds), pa.null())
        columns[name] = pa.chunked_array([c if c.type == kind else pa.nulls(len(c), kind) for c in chunks], kind)
    return pa.table(columns)


def _as_words(chunk: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(chunk.type):
        return chunk
    if pa.types.is_binary(chunk.type):
        return pa.array([None if cell is None else repr(cell) for cell in chunk.to_pylist()]).dictionary_encode()
    words = [None if cell is None else str(cell) for cell in chunk.to_pylist()]
    return pa.array(words, pa.string()).dictionary_encode()


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _values(keys: list[Any], texts: list[Any], faults: Faults) -> dict[str, Any] | None:
    """Settings from their rows: a text as it stands where a text is meant, else a value as TOML writes it."""
    values: dict[str, Any] = {}
    fine = True
    for row, (key, text) in enumerate(zip(keys, texts, strict=True), 1):
        rule = mend = ""
        if not key or key in values:
            rule, mend = ("is given twice", "keep one row") if key else ("is blank", "name the setting")
        elif text is None:
            rule, mend = "is blank", "give a value, or take the row away"
        elif key in PLAIN:
            values[key] = text
            continue
        else:
            try:
                made = tomllib.loads(f"value = {text}")
                if list(made) == ["value"]:
                    values[key] = made["value"]
                    continue
            except (ValueError, RecursionError):
                pass
            rule, mend = "is no value of TOML", "write it as in network.toml: 7, 2026-01-31, [1, 1, 7], { web = 0.9 }"
        faults.whole.append(Finding(NETWORK, row, key, text, rule, mend, NETWORK))
        fine = False
    return values if fine else None
