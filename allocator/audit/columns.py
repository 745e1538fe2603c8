"""The shape of a plan's tables: their columns, keys, signs, words and quanta."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from allocator.audit.keys import Whole, joined, whole
from allocator.audit.registry import Notebook

COLUMNS: MappingProxyType[str, str] = MappingProxyType(
    {
        "shipments": "item origin destination mode ship_date arrive_date quantity packs method committed",
        "reserves": "item site date channel quantity",
        "admissions": "item site channel zone date quantity booking_limit bid_price claim",
        "projections": "item site date stock below_min waste",
        "unmet": "item channel zone date quantity cost reason claim status",
        "exceptions": "what item where date amount unit cost mend",
        "lot_moves": "lot item from to date quantity rule for arrive_date expiry_date received_date mode channel claim",
        "ledger": "id plan item lot quantity from to date kind",
        "kpis": "kpi scope value unit",
    }
)

KEYS: MappingProxyType[str, str] = MappingProxyType(
    {
        "shipments": "item origin destination mode ship_date",
        "reserves": "item site date channel",
        "admissions": "item site channel zone date claim",
        "projections": "item site date",
        "unmet": "item channel zone date claim status",
        "exceptions": "what item where date",
        "lot_moves": "lot item from to date for arrive_date expiry_date received_date mode channel claim",
        "ledger": "id",
        "kpis": "kpi scope",
    }
)


_NO_DAY = -10_000_000  # before any day that a calendar holds
BY_ITEM = tuple(table for table, words in COLUMNS.items() if table != "kpis")
"""Tables whose rows are each of one item."""


def check_columns(plan: Mapping[str, Any], book: Notebook) -> bool:
    """Check that every table and column is there; without them nothing else can be checked."""
    whole_plan = True
    for table, words in COLUMNS.items():
        book.count("columns", 1)
        there = () if table not in plan else getattr(plan[table], "column_names", None) or list(plan[table].columns)
        missing = [column for column in words.split() if column not in there]
        if missing:
            whole_plan = False
            what = "no such table" if table not in plan else "no " + ", ".join(missing)
            book.says("columns", f"table {table}", words.replace(" ", ", "), what)
    return whole_plan


def check_keys(plan: Mapping[str, pd.DataFrame], book: Notebook) -> None:
    """Check that no key stands twice in tables whose rows are numbered by their labels."""
    for table, frame in plan.items():
        key = KEYS[table].split()
        if table == "ledger":  # ids of different items may be the same: check_ids
            continue
        repeated = pd.Series(joined(*(_codes(frame[name]) for name in key))).duplicated().to_numpy(dtype=bool)
        if table == "exceptions":  # several claims of one item, channel and zone may be unmet from the same day on
            repeated = repeated & (frame["what"].astype(str) != "demand").to_numpy(dtype=bool)

        def where(row: int, frame: pd.DataFrame = frame, key: list[str] = key, table: str = table) -> str:
            cells = ", ".join(f"{name} {frame[name].iloc[row]}" for name in key)
            return f"{table} row {frame.index[row]}: {cells}"

        book.true("keys", ~repeated, where, "one row", "a second row")


def _codes(column: pd.Series[Any]) -> Whole:
    """Give equal cells equal numbers."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return whole(column.cat.codes)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind == "M":
        days = column.to_numpy().astype("datetime64[D]")
        return np.where(np.isnat(days), _NO_DAY, days.view(np.int64))
    return whole(pd.factorize(column)[0])
