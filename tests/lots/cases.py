"""Random small cases, and short ways to write cases by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from allocator.lots import NEVER, LotStock, Moves


def lots_of(*rows):
    """Make stock from rows (item, site, quantity, received, expiry, lot, available_bucket)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    return LotStock(*(np.array(c, dtype=np.float64 if i == 2 else np.int32) for i, c in enumerate(columns)))


def moves_of(*rows):
    """Make moves from rows (item, origin, destination, bucket, lag or None, need_day, quantity, planned_class).

    Buckets are days, `order` is the row number, a lag of None arrives beyond the horizon.
    """
    made = []
    for number, (item, origin, destination, bucket, lag, need, quantity, planned) in enumerate(rows):
        arrive = bucket + lag if destination >= 0 and lag is not None else -1
        day = bucket + (lag or 0)
        made.append((item, origin, destination, bucket, arrive, bucket, day, need, quantity, number, planned))
    columns = list(zip(*made, strict=True)) if made else [()] * 11
    kinds = {8: np.float64, 9: np.int64}
    return Moves(*(np.array(c, dtype=kinds.get(i, np.int32)) for i, c in enumerate(columns)))


@st.composite
def cases(draw, max_sites=4):
    """Draw (stock, moves, rotation, quantum, last_day); same-day lanes only lead to higher sites, so none is cyclic."""
    items, sites = draw(st.integers(1, 3)), draw(st.integers(1, max_sites))
    lengths = draw(st.lists(st.sampled_from([1, 1, 1, 3]), min_size=1, max_size=5))
    last = np.cumsum(lengths).astype(np.int32) - 1
    first = np.concatenate(([0], last[:-1] + 1))
    n = len(lengths)
    quantum = np.array(draw(st.lists(st.sampled_from([1.0, 0.0, 0.25, 6.0]), min_size=items, max_size=items)))
    grain = np.where(quantum > 0, quantum, 0.125)
    expiry = st.sampled_from([0, 1, 2, 3, 5, 8, NEVER])
    stock = []
    for _ in range(draw(st.integers(0, 14))):
        item, bucket = draw(st.integers(0, items - 1)), draw(st.sampled_from([0, 0, 0, *range(n)]))
        received = draw(st.integers(-3, 0)) if bucket == 0 else int(first[bucket])
        row = (item, draw(st.integers(0, sites - 1)), draw(st.integers(0, 9)) * grain[item])
        stock.append((*row, received, draw(expiry), draw(st.integers(0, 5)), bucket))
    moves = []
    for number in range(draw(st.integers(0, 16))):
        item, origin, bucket = (
            draw(st.integers(0, items - 1)),
            draw(st.integers(0, sites - 1)),
            draw(st.integers(0, n - 1)),
        )
        destination = draw(st.sampled_from([-1, *(s for s in range(sites) if s != origin)]))
        lag = draw(st.integers(0 if destination > origin else 1, 2))
        arrive = bucket + lag if destination >= 0 and bucket + lag < n else -1
        day = int(first[bucket])
        arrive_day = int(first[arrive]) if arrive >= 0 else day + lag
        need = arrive_day if destination >= 0 else day + draw(st.sampled_from([0, 2, 4]))
        quantity = draw(st.integers(0, 7)) * grain[item]
        planned = draw(expiry)
        order = number * 7 % 17
        moves.append((item, origin, destination, bucket, arrive, day, arrive_day, need, quantity, order, planned))
    rotation = np.array(draw(st.lists(st.integers(0, 2), min_size=items, max_size=items)), dtype=np.int8)
    kinds = {8: np.float64, 9: np.int64}
    columns = list(zip(*moves, strict=True)) if moves else [()] * 11
    made = Moves(*(np.array(c, dtype=kinds.get(i, np.int32)) for i, c in enumerate(columns)))
    return lots_of(*stock), made, rotation, quantum, last
