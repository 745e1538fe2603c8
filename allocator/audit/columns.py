"""The shape of a plan's tables: their columns, keys, signs, words and quanta."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

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


def check_columns(plan: Mapping[str, pd.DataFrame], book: Notebook) -> bool:
    """Check that every table and column is there; without them nothing else can be checked."""
    whole_plan = True
    for table, words in COLUMNS.items():
        book.count("columns", 1)
        missing = words.split() if table not in plan else [c for c in words.split() if c not in plan[table].columns]
        if missing:
            whole_plan = False
            what = "no such table" if table not in plan else "no " + ", ".join(missing)
            book.says("columns", f"table {table}", words.replace(" ", ", "), what)
    return whole_plan


def check_keys(plan: Mapping[str, pd.DataFrame], book: Notebook) -> None:
    """Check that no key stands twice."""
    for table, words in KEYS.items():
        frame, key = plan[table], words.split()
        repeated = frame.duplicated(subset=key).to_numpy(dtype=bool)
        if table == "exceptions":  # several claims of one item, channel and zone may be unmet from the same day on
            repeated = repeated & (frame["what"].astype(str) != "demand").to_numpy(dtype=bool)

        def where(row: int, frame: pd.DataFrame = frame, key: list[str] = key, table: str = table) -> str:
            return f"{table} row {row}: " + ", ".join(f"{name} {frame[name].iloc[row]}" for name in key)

        book.true("keys", ~repeated, where, "one row", "a second row")
