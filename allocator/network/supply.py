"""Usable stock: opening lots and receipts, and the room that unusable lots take."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from allocator.network import coding
from allocator.network.network import NEVER, Calendar, LotEntries
from allocator.tables import Tables

FloatArray = NDArray[np.float64]


def build_lots(
    tables: Tables, calendar: Calendar, items: list[str], sites: list[str], unit_volume: FloatArray
) -> tuple[LotEntries, FloatArray]:
    """Usable lots and receipts, and (S,) volume of lots that may not be used. [m3]"""
    lots, receipts = tables["lots"], tables["receipts"]
    start = calendar.start
    item = coding.ranks(lots, "item", items)
    site = coding.ranks(lots, "site", sites)
    quantity = coding.amounts(lots, "quantity")
    received = coding.day_numbers(lots, "received_date", start, 0)
    expiry = np.minimum(coding.day_numbers(lots, "expiry_date", start, NEVER), NEVER)
    usable = (coding.choices(lots, "status", ("available",)) == 0) & (expiry >= 0)
    idle = np.zeros(len(sites))
    np.add.at(idle, site[~usable], (quantity * unit_volume[item])[~usable])
    bucket = np.maximum(calendar.bucket_of(received), 0)

    r_day = np.maximum(coding.day_numbers(receipts, "date", start, 0), 0)
    r_bucket = calendar.bucket_of(r_day)
    r_lot = [
        lot if lot is not None else code
        for lot, code in zip(coding.texts(receipts, "lot"), coding.texts(receipts, "receipt"), strict=True)
    ]
    names = coding.texts(lots, "lot") + r_lot
    codes = sorted({str(name) for name in names})
    lot = coding._ranks(pa.array([str(name) for name in names], type=pa.string()), codes)
    count = len(item)
    all_quantity = np.concatenate([quantity, coding.amounts(receipts, "quantity")])
    all_bucket = np.concatenate([bucket, r_bucket])
    keep = (
        np.concatenate([usable, np.ones(len(r_day), dtype=bool)]) & (all_bucket < calendar.buckets) & (all_quantity > 0)
    )
    entries = {
        "item": np.concatenate([item, coding.ranks(receipts, "item", items)]),
        "site": np.concatenate([site, coding.ranks(receipts, "site", sites)]),
        "bucket": all_bucket,
        "received": np.concatenate([received, r_day]),
        "expiry": np.concatenate(
            [expiry, np.minimum(coding.day_numbers(receipts, "expiry_date", start, NEVER), NEVER)]
        ),
        "lot": lot,
    }
    order = np.lexsort(tuple(entries[name][keep] for name in ("lot", "expiry", "received", "bucket", "site", "item")))
    picked = {name: values[keep][order] for name, values in entries.items()}
    receipt = np.arange(len(all_quantity)) >= count
    return (
        LotEntries(**picked, quantity=all_quantity[keep][order], codes=codes, receipt=receipt[keep][order]),
        idle,
    )
