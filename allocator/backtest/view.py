"""What a planner sees on a day: the stock that is there, what is under way, open orders, forecasts. Nothing that is still to happen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from allocator.backtest.book import Order
from allocator.backtest.ground import Ground
from allocator.backtest.shelves import Shelves
from allocator.network.network import NEVER
from allocator.tables import Tables

EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Lens:
    """How a planner plans.

    Attributes
    ----------
    outlooks, seed : int
        Demand paths that it plans against, and what they are drawn from.
    every : int
        Days until it plans again.
    alike : int
        Days whose shipments are the same in all outlooks. A plan that may decide tomorrow's shipment knowing all that
        follows waits too long: each outlook's later shipments go where they will be needed.
    way : int
        Days that goods need at most to a customer. Days are single that long past the decided ones: in a longer bucket goods that
        leave on its first day serve all its demand, and a plan puts off to it what should leave today.
    far : bool
        Looks to the season's end, however long the horizon; what is behind it is one long bucket.
    """

    outlooks: int
    seed: int
    every: int
    alike: int = 1
    way: int = 0
    far: bool = False

    @property
    def decided(self) -> int:
        """Days whose shipments are decided."""
        return max(self.every, self.alike)

    def ahead(self, ground: Ground, day: int) -> int:
        """Days a plan of this day looks at; a season's last days are fewer."""
        most = int(ground.tables.settings.horizon_days)
        if ground.ends is None:
            return most
        left = max(ground.ends - day, 1)
        return left if self.far else min(most, left)


def seen(ground: Ground, lens: Lens, day: int, shelves: Shelves, orders: Sequence[Order]) -> Tables:
    """Lay out the network as it is known on the morning of a day.

    Parameters
    ----------
    ground : Ground
    lens : Lens
    day : int
    shelves : Shelves
        After the day's goods have come in.
    orders : sequence of Order
        Accepted orders that are open, or due later.

    Returns
    -------
    Tables
        Starting on the day.
    """
    settings, known = ground.tables.settings, ground.tables
    today, ahead = ground.date(day), lens.ahead(ground, day)
    rest = (ahead,) if lens.far else ()
    now = settings.model_copy(
        update={
            "start": today,
            "horizon_days": ahead,
            "buckets": _cut((*settings.buckets, *rest), ahead, lens.decided + lens.way),
            "commit_days": min(max(settings.commit_days, lens.decided), ahead),
            "outlooks": lens.outlooks,
            "seed": lens.seed,
            "previous_plan": None,
        }
    )
    forecasts = known.stated("forecasts")
    mine = pc.and_(
        pc.greater_equal(forecasts["date"], pa.scalar(today)),
        pc.less(forecasts["date"], pa.scalar(today + dt.timedelta(ahead))),
    )
    rows = {
        "lots": _lots(ground, day, shelves),
        "receipts": _receipts(ground, day, shelves),
        "orders": _orders(ground, orders),
    }
    # an empty frame has no types of its own
    filled = {name: frame if len(frame) else known.stated(name).slice(0, 0) for name, frame in rows.items()}
    return known.replace(settings=now, forecasts=forecasts.filter(mine), **filled)


def _cut(buckets: tuple[int, ...], ahead: int, days: int) -> tuple[int, ...]:
    """The network's buckets, cut off at the horizon; the first ``days`` days daily."""
    cut: list[int] = []
    for length in buckets:
        done = sum(cut)
        daily = max(min(length, days - done), 0) if length > 1 else 0
        for part in (*(1,) * daily, length - daily):
            room = min(part, ahead - sum(cut))
            if room > 0:
                cut.append(room)
    return tuple(cut)


def _dates(ground: Ground, days: Sequence[int]) -> pd.Series:
    start = np.datetime64(ground.start, "s")
    day = np.array(days, dtype=np.int64)
    dates = start + np.where(day >= NEVER, 0, day).astype("timedelta64[D]")
    return pd.Series(np.where(day >= NEVER, np.datetime64("NaT", "s"), dates))


def _lots(ground: Ground, day: int, shelves: Shelves) -> pd.DataFrame:
    """Stock by lot, what the network lists to come later, and what is set aside."""
    network, base = ground.network, ground.tables.frame("lots")
    rows = [(item, site, *lot) for (item, site), shelf in sorted(shelves.lots.items()) for lot in shelf]
    later = base[(base["received_date"] > pd.Timestamp(ground.date(day))) | (base["status"] != "available")]
    held = pd.DataFrame(
        {
            "lot": [f"held/{k}" for k in range(len(rows))],
            "item": [network.items[row[0]] for row in rows],
            "site": [network.sites.codes[row[1]] for row in rows],
            "quantity": [row[4] for row in rows],
            "received_date": _dates(ground, [row[3] for row in rows]),
            "expiry_date": _dates(ground, [row[2] for row in rows]),
            "status": "available",
        }
    )
    return _joined(held, later)


def _receipts(ground: Ground, day: int, shelves: Shelves) -> pd.DataFrame:
    network, base = ground.network, ground.tables.frame("receipts")
    rows = [(arrives, *part) for arrives, parts in sorted(shelves.road.items()) for part in parts]
    later = base[base["date"] > pd.Timestamp(ground.date(day))]
    road = pd.DataFrame(
        {
            "receipt": [f"road/{k}" for k in range(len(rows))],
            "item": [network.items[row[1]] for row in rows],
            "site": [network.sites.codes[row[2]] for row in rows],
            "quantity": [row[4] for row in rows],
            "date": _dates(ground, [row[0] for row in rows]),
            "expiry_date": _dates(ground, [row[3] for row in rows]),
        }
    )
    return _joined(road, later)


def _orders(ground: Ground, orders: Sequence[Order]) -> pd.DataFrame:
    network = ground.network
    return pd.DataFrame(
        {
            "order": [f"order/{k}" for k in range(len(orders))],
            "line": "1",
            "item": [network.items[order.item] for order in orders],
            "channel": [network.channels[order.channel] for order in orders],
            "zone": [network.zones[order.zone] for order in orders],
            "due_date": _dates(ground, [order.due for order in orders]),
            "quantity": [order.open for order in orders],
        }
    )


def _joined(one: pd.DataFrame, two: pd.DataFrame) -> pd.DataFrame:
    parts = [part.dropna(axis="columns", how="all") for part in (one, two) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else one
