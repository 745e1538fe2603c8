"""A plan's tables as the audit reads them: whole where a rule needs it, else cut by runs of items with words coded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.audit.columns import BY_ITEM, COLUMNS
from allocator.audit.facts import Facts, framed
from allocator.tables.by_item import ByItem

CELLS = 1_000_000
"""Items x sites x buckets audited together: what bounds the memory of an audit."""
WHOLE = frozenset({("ledger", "id"), ("ledger", "plan")})


class Sheets:
    """The tables of a plan.

    Parameters
    ----------
    plan : mapping of str to DataFrame or pyarrow.Table
        All tables, all columns.
    facts : Facts
        The network; rows of an item it does not know stand with its first items.
    """

    def __init__(self, plan: Mapping[str, pd.DataFrame | pa.Table], facts: Facts) -> None:
        self.plan, self.facts = plan, facts
        self._cuts = {name: ByItem(_asked(plan, name), _items(facts, plan[name])) for name in BY_ITEM}

    def windows(self) -> Iterator[tuple[int, int]]:
        """Cut the items into runs."""
        items = len(self.facts.items)
        step = max(1, CELLS // max(len(self.facts.sites) * self.facts.calendar.buckets, 1))
        for first in range(0, max(items, 1), step):
            yield first, min(first + step, items)

    def cut(self, first: int, stop: int) -> dict[str, pd.DataFrame]:
        """Give the rows of some items from every table that has items; a row's label is its number in the table."""
        start = -1 if first == 0 else first
        return {name: self._frame(name, start, stop) for name in BY_ITEM}

    def _frame(self, name: str, first: int, stop: int) -> pd.DataFrame:
        part = self._cuts[name].cut(first, stop)
        frame = framed(part) if isinstance(part, pa.Table) else coded(part)
        low, high = self._cuts[name].span(first, stop)
        order = self._cuts[name].order
        frame.index = pd.RangeIndex(low, high) if order is None else pd.Index(order[low:high])
        return frame

    def whole(self, name: str) -> pd.DataFrame:
        """Give a whole table, its rows numbered."""
        table = self.plan[name]
        return framed(table) if isinstance(table, pa.Table) else table.reset_index(drop=True)


def _asked(plan: Mapping[str, pd.DataFrame | pa.Table], name: str) -> pd.DataFrame | pa.Table:
    """Give the columns that are audited item by item: the ledger's ids, each its own word, are looked at as a whole."""
    columns = [column for column in COLUMNS[name].split() if (name, column) not in WHOLE]
    table = plan[name]
    return table.select(columns) if isinstance(table, pa.Table) else table[columns]


def _items(facts: Facts, table: pd.DataFrame | pa.Table) -> NDArray[np.int32]:
    return facts.items.find(table["item"]).astype(np.int32)


def coded(frame: pd.DataFrame) -> pd.DataFrame:
    """Give a frame with its words as categories; columns of mixed things stay as they are."""
    columns: dict[Any, Any] = {name: _coded(frame[name]) for name in frame.columns}
    return pd.DataFrame(columns, index=frame.index, copy=False)


def _coded(column: pd.Series[Any]) -> Any:
    if not isinstance(column.dtype, pd.StringDtype):
        return column.array
    cells = pa.array(column, from_pandas=True)
    cells = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    cells = cells if isinstance(cells, pa.Array) else pa.concat_arrays(cells.chunks)
    found = cells.dictionary_encode()
    codes = pc.fill_null(found.indices, -1).to_numpy(zero_copy_only=False)
    return pd.Categorical.from_codes(codes, categories=pd.Index(found.dictionary.to_pylist(), dtype=object))
