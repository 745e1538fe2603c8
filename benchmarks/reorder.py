"""What no foresight costs: the stock that is left at stores that sell what comes in by the best fixed reorder points: ``python -m benchmarks.reorder``.

The clairvoyant bound of the Iowa case (``python -m benchmarks.backtests iowa``) leaves nothing at the stores when the play ends. Whoever does not know the
day on which a customer comes must have stock wherever one may come. This measures how much, for a policy that is better supplied than any real one: a
warehouse that is never empty, a reorder point for each item and store, chosen on the very paths of demand that are then met.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.backtest.demand import drawn, known_orders
from allocator.backtest.ground import build_ground
from benchmarks.backtests import WEEK, iowa

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

POINTS = 30
"""Reorder points tried at each store."""
SETTLED = 5 * WEEK
"""Days before the stock is counted: it begins at none."""


def stocked(demand: FloatArray, leaves: BoolArray, pack: float) -> FloatArray:
    """What a store sells and holds by reorder point.

    Parameters
    ----------
    demand : (R, N) float
        Of each path and day. [units]
    leaves : (N,) bool
        Days on which goods come, in whole packs, before customers do; as many as bring the stock to the reorder point.
    pack : float

    Returns
    -------
    (P, 2) float
        Units sold a week and units there at the end of a week, means of all paths; the first row is a store that is not supplied.
    """
    paths, days = demand.shape
    weeks = days // WEEK
    most = 6 * demand.sum() / (paths * weeks) + 6 * pack + 4 * demand.reshape(paths, weeks, WEEK).sum(axis=2).std()
    points = np.unique(np.round(np.geomspace(1, most, POINTS)))
    stock, sold, held = (np.zeros((len(points), paths)) for _ in range(3))
    counted = [day for day in range(SETTLED, days) if day % WEEK == WEEK - 1]
    for day in range(days):
        if leaves[day]:
            stock += np.ceil(np.maximum(points[:, None] - stock, 0.0) / pack) * pack
        gone = np.minimum(stock, demand[None, :, day])
        stock -= gone
        sold += gone
        if day in counted:
            held += stock
    found = np.stack([sold.mean(axis=1) / weeks, held.mean(axis=1) / len(counted)], axis=1)
    return np.concatenate([np.zeros((1, 2)), found])


def left_over(curves: list[FloatArray], units: float, weeks: int) -> tuple[float, float]:
    """Units sold a week and units left at the stores at the end, where ``units`` come in over the weeks and all that is not left is sold.

    Parameters
    ----------
    curves : list of (P, 2) float
        Of each store, from `stocked`; reorder points are chosen by one price of stock for all stores (Lagrange).
    units : float
    weeks : int
    """
    corners = np.array(
        [
            sum(curve[np.argmax(curve[:, 0] - price * curve[:, 1])] for curve in curves)
            for price in np.geomspace(10, 1e-4, 600)
        ]
    )
    used = corners[:, 0] * weeks + corners[:, 1]
    return float(np.interp(units, used, corners[:, 0])), float(np.interp(units, used, corners[:, 1]))


def measured(items: int, weeks: int, supply: float, paths: int) -> pd.DataFrame:
    """One row an item: what stores are asked for and sell, what is left there at the end, and what that would have earned.

    Notes
    -----
    Everything is for the stores from the first day on; only what comes in during the last week, which can't reach a store any more, is left out.
    """
    tables = iowa(items, weeks, supply)
    days = weeks * WEEK
    ground = build_ground(tables, days)
    network, firm = ground.network, known_orders(ground)
    sites, lanes = network.sites.codes, network.lanes
    channel = network.channels.index("store")
    home = np.array([sites.index(zone) if zone in sites else -1 for zone in network.zones])
    demand = np.zeros((paths, len(network.items), len(sites), days))
    for path in range(paths):
        lines = drawn(ground, firm, 0, path)
        mine = np.flatnonzero((lines.channel == channel) & (home[lines.zone] >= 0))
        place = (lines.item[mine], home[lines.zone[mine]], lines.day[mine])
        np.add.at(demand[path], place, lines.quantity[mine])
    receipts = tables.frame("receipts")
    last = receipts["date"] >= receipts["date"].max()
    units = tables.frame("lots").groupby("item")["quantity"].sum().add(
        receipts[~last].groupby("item")["quantity"].sum(), fill_value=0.0
    )  # fmt: skip
    hub = sites.index("CEDAR-RAPIDS")
    rows = []
    for item, code in enumerate(network.items):
        ways = np.flatnonzero((lanes.origin == hub) & lanes.open[item])
        curves = [
            stocked(demand[:, item, store], lanes.ship_day[way, :days] >= 0, max(float(lanes.pack[item, way]), 1.0))
            for way, store in zip(ways, lanes.destination[ways], strict=True)
            if demand[:, item, store].any()
        ]
        asked = demand[:, item].sum() / (paths * weeks)
        sold, stock = left_over(curves, float(units.get(code, 0.0)), weeks)
        worth = network.margin[item, channel] + network.unmet_cost[item, channel]
        rows.append((code, asked, sold, stock, stock * worth))
    return pd.DataFrame(rows, columns=["item", "asked_a_week", "sold_a_week", "left", "worth"])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("items", 5), ("weeks", 26), ("paths", 20)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--supply", type=float, default=0.9)
    asked = parser.parse_args()
    found = measured(asked.items, asked.weeks, asked.supply, asked.paths)
    sys.stdout.write(found.to_string(index=False, float_format="{:,.0f}".format) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
