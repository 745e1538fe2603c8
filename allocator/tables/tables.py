"""A network in memory: every input table, checked, sorted and complete."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from allocator.tables.findings import InputError
from allocator.tables.keys import indices
from allocator.tables.schema import SCHEMA
from allocator.tables.settings import Settings

NETWORK = "network.json"
QUARANTINED = "quarantined.parquet"
_GROUP = 1 << 20
PREVIOUS = "previous_shipments.parquet"
"""Shipments of the previous plan, kept beside the tables of a plan."""


class Tables(Mapping[str, pa.Table]):
    """Every input table of a network, frozen.

    ``tables["items"]`` is a `pyarrow.Table` with all columns of the schema in order, sorted by key, defaults filled:
    codes and other words ``string``, days ``date32``, whole numbers ``int64``, figures ``float64``, flags ``bool``;
    optional cells without a default stay null. The date of `admission_limits` is a string, ``*`` or an ISO day.
    ``tables.encoded("items")`` is the same with words as ``dictionary<string>`` over sorted words, without copying.

    Attributes
    ----------
    settings : Settings
        The settings of network.toml.
    notes : tuple of str
        What is allowed but worth knowing, one line each.
    quarantined : pandas.DataFrame
        Rows set aside: table, row, column, value, rule, mend.
    source : str
        Where the network was read from.
    scenario : tuple of str
        Names of the overlays laid on it.
    changes : pyarrow.Table or None
        What these touched: overlay, part, number, table, key, column, before, after.
    """

    def __init__(
        self,
        stated: Mapping[str, pa.Table],
        resolved: Mapping[str, pa.Table],
        settings: Settings,
        notes: tuple[str, ...] = (),
        quarantined: pd.DataFrame | None = None,
        source: str = "",
        scenario: tuple[str, ...] = (),
        changes: pa.Table | None = None,
    ) -> None:
        self._stated = MappingProxyType(dict(stated))
        self._resolved = MappingProxyType(dict(resolved))
        self._quarantined = quarantined
        self._hash: str | None = None
        self.settings = settings
        self.notes = notes
        self.scenario = scenario
        self.changes = changes
        self.source = source

    def __setattr__(self, name: str, value: object) -> None:
        if "source" in self.__dict__ and name != "_hash":
            raise AttributeError(f"Tables are frozen; use replace() to change {name}")
        object.__setattr__(self, name, value)

    def __getitem__(self, name: str) -> pa.Table:
        return _plain(self.encoded(name))

    def __iter__(self) -> Iterator[str]:
        return iter(SCHEMA)

    def __len__(self) -> int:
        return len(SCHEMA)

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {table.num_rows:,}" for name, table in self._resolved.items() if table.num_rows)
        return f"Tables({self.settings.name}: {sizes})"

    def _repr_html_(self) -> str:
        from allocator.tables.card import network_card

        return network_card(self)

    def encoded(self, name: str) -> pa.Table:
        """Return a table with its words as indices into sorted dictionaries."""
        return self._resolved[name]

    def stated(self, name: str) -> pa.Table:
        """Return a table before rotation and expiry were filled from other tables; scenarios change this one."""
        return _plain(self._stated[name])

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table as a DataFrame.

        Words are ``str``, days ``datetime64``, figures float with NaN where empty, flags bool. Whole numbers are
        int64, but float64 in columns that may be empty; flags that may be empty are nullable ``boolean``.
        """
        return framed(name, self.encoded(name))

    @property
    def quarantined(self) -> pd.DataFrame:
        """Rows set aside: table, row, column, value, rule, mend."""
        if self._quarantined is None:
            words = {name: pd.Series(dtype="str") for name in ("table", "column", "value", "rule", "mend")}
            words["row"] = pd.Series(dtype="int64")
            return pd.DataFrame(words)[["table", "row", "column", "value", "rule", "mend"]]
        return self._quarantined.copy()

    @property
    def input_hash(self) -> str:
        """SHA-256 of settings and tables, the same for any order of rows, of CSV and Parquet."""
        if self._hash is None:
            digest = hashlib.sha256(json.dumps(_hashed_settings(self.settings), sort_keys=True).encode())
            for name, table in self._resolved.items():
                digest.update(f"\0{name}:{table.num_rows}".encode())
                for column in table.itercolumns():
                    _digest(column, digest)
            self._hash = digest.hexdigest()
        return self._hash

    def replace(self, settings: Settings | None = None, **tables: pa.Table | pd.DataFrame) -> Tables:
        """Return a network with some tables (or the settings) replaced, checked anew.

        Tables not replaced keep what was stated, so rotation and expiry follow from the new tables.

        Raises
        ------
        InputError
            If the result breaks a rule.
        """
        from allocator.tables.reader import make_tables

        content: dict[str, pa.Table | pd.DataFrame] = {**self._stated, **tables}
        made = make_tables(settings or self.settings, content, source=self.source)
        return Tables(made._stated, made._resolved, made.settings, made.notes, self._quarantined, self.source)

    def under(self, scenario: tuple[str, ...], changes: pa.Table, notes: tuple[str, ...] = ()) -> Tables:
        """Return the same network, saying which overlays were laid on it and what they touched."""
        said = (*self.notes, *notes)
        return Tables(
            *(self._stated, self._resolved, self.settings, said, self._quarantined, self.source, scenario, changes)
        )

    def write(self, folder: str | Path) -> None:
        """Write every table as Parquet and the settings as network.json; the same network gives the same bytes."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name in SCHEMA:
            _write(self.encoded(name), folder / f"{name}.parquet")
        if self._quarantined is not None and len(self._quarantined):
            _write(pa.Table.from_pandas(self._quarantined, preserve_index=False), folder / QUARANTINED)
        settings = self.settings.model_dump(mode="json")
        text = json.dumps({"settings": settings}, indent=1, sort_keys=True, ensure_ascii=False)
        (folder / NETWORK).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | Path) -> Tables:
        """Read back what `write` wrote, checked anew.

        Raises
        ------
        InputError
            If a file is missing, damaged or breaks a rule.
        """
        from allocator.tables.reader import load_tables

        return load_tables(Path(folder))


def framed(name: str, table: pa.Table) -> pd.DataFrame:
    """Give rows of a table as a DataFrame (see `Tables.frame`)."""
    frame: pd.DataFrame = _plain(table).to_pandas(date_as_object=False)
    for column in SCHEMA[name].columns:
        if column.optional and column.kind in ("whole", "flag"):
            frame[column.name] = frame[column.name].astype("float64" if column.kind == "whole" else "boolean")
        elif column.kind == "date" and not column.wild and frame[column.name].dtype == object:
            frame[column.name] = frame[column.name].astype("datetime64[s]")
    return frame


def _plain(table: pa.Table) -> pa.Table:
    return table.cast(
        pa.schema([(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in table.schema])
    )


def _write(table: pa.Table, path: Path) -> None:
    """Write a table with its words spelled out, a row group at a time."""
    schema = _plain(table.slice(0, 0)).schema
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True, version="2.6") as writer:
        for first in range(0, max(table.num_rows, 1), _GROUP):
            writer.write_table(_plain(table.slice(first, _GROUP)), row_group_size=_GROUP)


def _digest(column: pa.ChunkedArray, digest: Any) -> None:
    array = column.combine_chunks()
    array = array if isinstance(array, pa.Array) else pa.concat_arrays(array.chunks)
    if pa.types.is_dictionary(array.type):
        words = array.dictionary.to_pylist()
        digest.update("\0".join(words).encode() + b"\1")
        digest.update(np.ascontiguousarray(indices(array).astype("<i4")))
        return
    filled = array.is_valid().to_numpy(zero_copy_only=False)
    digest.update(np.packbits(filled))
    if pa.types.is_date32(array.type):
        array = array.cast(pa.int32())
    values = array.fill_null(False if pa.types.is_boolean(array.type) else 0).to_numpy(zero_copy_only=False)
    digest.update(np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<"))))


def _hashed_settings(settings: Settings) -> dict[str, Any]:
    """Settings without the path of the previous plan: its manifest counts, not where it lies."""
    values = settings.model_dump(mode="json", exclude={"previous_plan"})
    if settings.previous_plan is not None:
        manifest = settings.previous_plan / "manifest.json"
        values["previous_plan"] = hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else "absent"
    return values


def read_json(path: Path) -> dict[str, Any]:
    """Read network.json of a plan.

    Raises
    ------
    InputError
        If it is missing or damaged.
    """
    from allocator.tables.findings import Finding

    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict) or not isinstance(content.get("settings"), dict):
            raise ValueError("no settings in it")
    except (OSError, ValueError, RecursionError) as error:
        finding = Finding("network", None, None, None, f"can't be read ({error})", "write the plan again", path.name)
        raise InputError([finding]) from None
    return content
