"""The ledger's stock as tables of the next network: lots on hand, and receipts of what is under way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from allocator.files import replacing
from allocator.ledger.replay import stock_on, under_way
from allocator.ledger.transactions import SLACK, UNIT, LedgerError, identified, units


def stock_tables(rows: pd.DataFrame, day: str) -> dict[str, pa.Table]:
    """Tables ``lots`` and ``receipts`` of a network that starts on a day.

    Raises
    ------
    LedgerError
        When more of a lot left than there was.
    """
    stock, coming = stock_on(rows, day), under_way(rows, day)
    for frame, noun in ((stock, "in stock"), (coming, "under way")):
        short = frame[frame["millionths"] < -SLACK]
        if len(short):
            first = short.iloc[0]
            raise LedgerError(
                f"{len(short)} lots are below zero {noun} on {day}, first lot {first['lot']} of item {first['item']} at {first['site']} "
                f"({units(int(first['millionths']))}); record what happened, or reverse what did not"
            )
    stock, coming = stock[stock["millionths"] > 0], coming[coming["millionths"] > 0].reset_index(drop=True)
    lots = {name: _words(stock[name]) for name in ("lot", "item", "site")}
    lots |= {"quantity": pa.array(_units(stock["millionths"].to_numpy(np.int64)))}
    lots |= {name: _dates(stock[name]) for name in ("received_date", "expiry_date")}
    lots |= {"status": _words(stock["status"])}
    code = identified(coming, "under way", ("item", "lot", "site", "day", "expiry_date"))
    receipts = {"receipt": pa.array([f"ledger-{word}" for word in code], pa.string())}
    receipts |= {"item": _words(coming["item"]), "site": _words(coming["site"]), "date": _dates(coming["day"])}
    receipts |= {"quantity": pa.array(_units(coming["millionths"].to_numpy(np.int64)))}
    receipts |= {"lot": _words(coming["lot"]), "expiry_date": _dates(coming["expiry_date"])}
    return {"lots": pa.table(lots), "receipts": pa.table(receipts)}


def write_stock(tables: dict[str, pa.Table], folder: Path, form: str) -> list[Path]:
    """Write the tables as ``csv`` or ``parquet`` files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, table in tables.items():
        path = folder / f"{name}.{form}"
        with replacing(path) as fresh:
            if form == "csv":
                pacsv.write_csv(table, fresh)
            else:
                pq.write_table(table, fresh, compression="zstd", write_page_checksum=True)
        paths.append(path)
    return paths


def _units(whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(whole / UNIT, dtype=np.float64)


def _words(column: pd.Series[str]) -> pa.Array:
    return pa.array(column.to_numpy(dtype=object), pa.string())


def _dates(column: pd.Series[str]) -> pa.Array:
    return pa.array([word or None for word in column], pa.string()).cast(pa.date32())
