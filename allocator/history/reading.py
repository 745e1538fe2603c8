"""From a file of sales lines to a checked history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from allocator.history.spec import HISTORY, history_spec
from allocator.tables.checks import check_bounds
from allocator.tables.columns import TableSpec
from allocator.tables.draft import make_draft
from allocator.tables.findings import Faults, Finding, InputError
from allocator.tables.sources import Local, Raw, check_columns, read_raw

ORDER = ("item", "channel", "zone", "date", "order")


@dataclass(frozen=True)
class History:
    """Sales lines, checked.

    Attributes
    ----------
    table : pyarrow.Table
        The columns of `HISTORY`, sorted by item, channel, zone, date and order; words as dictionary arrays with sorted words,
        `date` as date32, `quantity` as float64 [units].
    notes : tuple of str
        What a reader should know: columns that were left alone, a last line that may be cut.
    source : str
    """

    table: pa.Table
    notes: tuple[str, ...]
    source: str

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def frame(self) -> pd.DataFrame:
        """The lines as a DataFrame: words as text, days as timestamps."""
        plain = [
            column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column for column in self.table.columns
        ]
        frame: pd.DataFrame = pa.table(plain, names=self.table.column_names).to_pandas()
        return frame.assign(date=pd.to_datetime(frame["date"]))


def read_history(
    source: str | Path | pd.DataFrame, columns: Mapping[str, str] | None = None, channel: str | None = None
) -> History:
    """Read and check a sales history.

    Parameters
    ----------
    source : str, Path or DataFrame
        A ``.csv`` or ``.parquet`` file, or the lines themselves, with the columns of `HISTORY`; further columns are left alone.
    columns : mapping of str to str, optional
        The file's own names: ``{"zone": "store", "quantity": "bottles"}``.
    channel : str, optional
        Channel of all lines, where there is no such column.

    Raises
    ------
    allocator.tables.InputError
        With every broken row.
    ValueError
        When `columns` names no column of a history.
    """
    spec, faults = history_spec(dict(columns or {}), channel), Faults()
    raw = _raw(source, spec, faults)
    faults.raise_any([spec.name])
    assert raw is not None
    draft = make_draft(raw, spec, faults)
    check_bounds(draft, faults)
    faults.raise_any([spec.name])
    if not len(draft):
        faults.file(spec.name, raw.source, "holds no sales", "give at least one line")
        faults.raise_any([spec.name])
    named = dict(zip(HISTORY.names, draft.pick(spec.names), strict=True))
    table = pa.table({name: _coded(column) for name, column in named.items()})
    keys = [table.column(name).combine_chunks() for name in reversed(ORDER)]
    order = np.lexsort([_rank(key) for key in keys])
    return History(table.take(pa.array(order)), _notes(raw, spec), raw.source)


def _raw(source: str | Path | pd.DataFrame, spec: TableSpec, faults: Faults) -> Raw | None:
    if isinstance(source, pd.DataFrame):
        cells = pa.Table.from_pandas(source, preserve_index=False)
        check_columns(cells.column_names, spec, "history", faults)
        return Raw(cells, "history", np.arange(1, cells.num_rows + 1))
    path = Path(source)
    if path.suffix.lower() not in (".csv", ".parquet"):
        rule, mend = "is neither .csv nor .parquet", "give the history as one such file"
        raise InputError([Finding("history", None, None, str(path), rule, mend, "history")])
    if not path.is_file():
        raise InputError([Finding("history", None, None, str(path), "is not a file", "check the path", "history")])
    return read_raw(Local(path), spec, faults)


def _coded(column: pa.Array) -> pa.Array:
    """Give a column without any word (no order codes) the type of one that has words."""
    return column.cast(pa.dictionary(pa.int32(), pa.string())) if pa.types.is_null(column.type) else column


def _rank(column: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Rank of each row's value: words are sorted already, so their index says it; blank first."""
    values = column.indices if pa.types.is_dictionary(column.type) else column.cast(pa.int32())
    rank: np.ndarray[tuple[int], np.dtype[np.int64]] = (
        values.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    )
    return rank


def _notes(raw: Raw, spec: TableSpec) -> tuple[str, ...]:
    unused = [name for name in raw.cells.column_names if name not in spec.names]
    left = [f"not used: column{'s' * (len(unused) > 1)} {', '.join(unused)}"] if unused else []
    return (*left, *([raw.note] if raw.note else []))
