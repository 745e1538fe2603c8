"""Lot moves, and the ledger of transactions that they make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from allocator.lots import Rule
from allocator.network.network import NEVER, Network
from allocator.network.order import IntArray, order_of, packed
from allocator.plan.frames import Frames
from allocator.plan.moves import Moved
from allocator.plan.words import Words

KINDS = ("shipment", "admission", "waste")
NAT = np.datetime64("NaT", "s")
HEX = np.array([f"{byte:02x}" for byte in range(256)], dtype="S2").view("<u2")
"""Two hex digits of each byte, as the two bytes of their text."""


def lot_moves(network: Network, moved: Moved, frames: Frames) -> pd.DataFrame:
    """Which lot went on each move, and what expired: sorted by item, site, date, kind, way, lot."""
    lanes, claims, first = network.lanes, network.claims, network.calendar.first
    pieces, gone = moved.assignment.pieces, moved.assignment.waste
    ships, serves = moved.shipments, moved.admissions
    # pieces are sorted by move, and moves are shipments first
    count = int(np.searchsorted(pieces.move, len(ships.item)))
    s, a = pieces.move[:count], pieces.move[count:] - len(ships.item)
    blank = len(gone.item)

    def joined(shipped: NDArray[Any], served: NDArray[Any], wasted: NDArray[Any] | int) -> NDArray[Any]:
        last = np.full(blank, wasted, dtype=served.dtype) if isinstance(wasted, int) else wasted
        return np.concatenate([shipped, served, last])

    lane, arc = ships.way[s], serves.way[a]
    lane_cell, bucket = (lane, ships.bucket[s]), serves.bucket[a]
    item = joined(frames.items[ships.item[s]], frames.items[serves.item[a]], frames.items[gone.item])
    site = joined(lanes.origin[lane], claims.arc_site[arc], gone.site).astype(np.int32)
    day = joined(lanes.ship_day[lane_cell], first[bucket], first[gone.bucket]).astype(np.int32)
    kind = np.repeat(np.arange(3, dtype=np.int8), [count, len(a), blank])
    path = joined(lane, claims.arc_claim[arc], 0).astype(np.int32)
    lot, received, expiry = (
        np.concatenate([getattr(pieces, name), getattr(gone, name)]) for name in ("lot", "received", "expiry")
    )
    order = order_of(_key(item, site, day, kind, path), lot, received, expiry)
    arrive = joined(lanes.arrive_day[lane_cell], first[bucket] + claims.arc_delivery[arc], -1).astype(np.int32)[order]
    del path
    nowhere = frames.place.places([""])[0]
    to = joined(frames.site[lanes.destination][lane], frames.zone[claims.zone[claims.arc_claim]][arc], int(nowhere))
    mode, channel, label = (words.places([""]) for words in (frames.mode, frames.channel, frames.label))
    rules = Words([rule.name for rule in Rule], ["EXPIRED"])
    rule = rules.places([*(rule.name for rule in Rule), "EXPIRED"])
    rule = np.concatenate([rule[pieces.rule], np.full(blank, rule[-1])])
    kinds, expires = Words(KINDS), expiry[order]
    quantity = np.concatenate([pieces.quantity, gone.quantity])
    return pd.DataFrame(
        {
            "lot": Words(network.lots.codes).of(network.lots.codes, lot[order]),
            "item": frames.item.column(item[order]),
            "from": frames.place.column(frames.site[site][order]),
            "to": frames.place.column(to[order]),
            "date": frames.dates(day[order]),
            "quantity": quantity[order],
            "rule": rules.column(rule[order]),
            "for": kinds.of(KINDS, kind[order]),
            "arrive_date": np.where(arrive < 0, NAT, frames.dates(arrive)),
            "expiry_date": np.where(expires >= NEVER, NAT, frames.dates(np.where(expires >= NEVER, 0, expires))),
            "received_date": frames.dates(received[order]),
            "mode": frames.mode.column(np.concatenate([frames.modes[lane], np.repeat(mode, len(a) + blank)])[order]),
            "channel": frames.channel.column(
                joined(
                    np.repeat(channel, count), frames.channels[claims.channel[claims.arc_claim]][arc], int(channel[0])
                )[order]
            ),
            "claim": frames.label.column(
                joined(np.repeat(label, count), frames.labels[claims.arc_claim][arc], int(label[0]))[order]
            ),
        },
        copy=False,
    )


def _key(*columns: NDArray[Any]) -> IntArray:
    """One key of several columns; ranks of pairs where they are too wide together."""
    try:
        return packed(*columns)
    except OverflowError:
        _, ranks = np.unique(packed(*columns[:2]), return_inverse=True)
        return packed(ranks, *columns[2:])


def ledger(moves: pd.DataFrame, plan: str) -> pd.DataFrame:
    """One append-only transaction a lot move; ids depend on the plan and the move alone, so a replay adds nothing."""
    one, two = keys_of(moves.drop(columns="quantity"), plan)
    order = np.argsort(one)
    if (one[order][1:] == one[order][:-1]).any():
        order = np.lexsort((two, one))
    columns = {"plan": Words([plan]).only(plan, len(moves))} | {
        to: moves[of].take(order).reset_index(drop=True)
        for to, of in (
            ("item", "item"), ("lot", "lot"), ("quantity", "quantity"), ("from", "from"), ("to", "to"), ("date", "date"),
            ("kind", "for"),
        )
    }  # fmt: skip
    return pd.DataFrame({"id": hexed(one[order], two[order])} | columns, copy=False)


def keys_of(rows: pd.DataFrame, key: str) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Two keyed 64-bit hashes of each row's words (SipHash, keyed by a plan id or another word): the two halves of its id."""
    text, key = _as_words(rows), key[:16].ljust(16, "0")
    one, two = (
        np.asarray(pd.util.hash_pandas_object(text, index=False, hash_key=half), dtype=np.uint64)
        for half in (key, key[::-1])
    )
    return one, two


def _as_words(frame: pd.DataFrame) -> pd.DataFrame:
    """All columns as categories of text, dates too: what the hash reads of each word once."""
    columns: dict[str, Any] = {}
    for name, column in frame.items():
        if not isinstance(column.dtype, pd.CategoricalDtype):
            codes, values = pd.factorize(column)
            day = pd.api.types.is_datetime64_dtype(column.dtype)
            words = pd.Index([str(value)[:10] if day else str(value) for value in values], dtype=object)
            column = pd.Series(pd.Categorical.from_codes(codes, categories=words))
        columns[str(name)] = column
    return pd.DataFrame(columns, copy=False)


def hexed(one: NDArray[np.uint64], two: NDArray[np.uint64]) -> pd.Series[str]:
    """Two numbers a row as 32 hex digits."""
    count = len(one)
    digits = HEX[np.stack([one, two], axis=1).astype(">u8").view(np.uint8).reshape(count, 16)]
    offsets = np.arange(0, 32 * (count + 1), 32, dtype=np.int64)
    array = pa.LargeStringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(digits))
    words: pd.Series[str] = array.to_pandas()
    return words
