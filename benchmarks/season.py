"""One warehouse, ten stores, one season: how much demand is lost when every day is planned again (issue 4's yardstick).

Season demand is Poisson(20) a store, 220 units are in the warehouse, lanes take no time. Pushing all on day one loses 4.87 % of demand, half then and half
at mid-season 6.03 %, the best two shots 2.79 %. Run ``python -m benchmarks.season --outlooks 20 --seasons 30``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine.outlooks import read_decided
from allocator.engine.problem import Limits
from allocator.engine.process import Solver
from allocator.engine.whole import solve_whole
from allocator.network import Network, build_network
from allocator.program.stack import build_program
from allocator.tables import make_tables

FloatArray = NDArray[np.float64]

START = dt.date(2026, 3, 2)


@dataclass(frozen=True)
class Season:
    """A season.

    Attributes
    ----------
    stores, days, units : int
        Stores, days of the season, units at the warehouse on its first day.
    demand : float
        Poisson mean of a store's season. [units]
    outlooks : int
        Demand paths planned against; 1 = the mean.
    every : int
        Days between shipments; 1 = the lanes depart daily.
    """

    stores: int = 10
    days: int = 14
    units: int = 220
    demand: float = 20.0
    outlooks: int = 20
    every: int = 1

    def network(self, day: int, warehouse: int, stocks: FloatArray, seed: int) -> Network:
        """What a planner sees on a day: what is left of the season, and the stock that is left."""
        left, mean = self.days - day, self.demand / self.days
        stores = [f"S{k:02d}" for k in range(self.stores)]
        today = START + dt.timedelta(day)
        dates = [today + dt.timedelta(t) for t in range(left)]
        at = ["W", *stores]
        quantity = np.concatenate([[warehouse], stocks])
        held = np.flatnonzero(quantity > 0)
        # lanes depart every so many days of the season: buckets end where they do
        cuts = [t for t in range(1, left) if (day + t) % self.every == 0]
        buckets = np.diff([0, *cuts, left]).tolist()
        settings = {
            "name": "season", "currency": "EUR", "start": today, "horizon_days": left, "outlooks": self.outlooks,
            "seed": seed, "buckets": buckets,
        }  # fmt: skip
        tables = {
            "items": pd.DataFrame({"item": ["A"]}),
            "sites": pd.DataFrame({"site": at, "kind": ["dc"] + ["store"] * self.stores}),
            "lanes": pd.DataFrame({"origin": "W", "destination": stores, "lead_time_days": 0}),
            "channels": pd.DataFrame({"channel": ["walk"]}),
            "fulfilment": pd.DataFrame({"site": stores, "channel": "walk", "zone": stores}),
            "prices": pd.DataFrame({"item": ["A"], "channel": ["walk"], "margin": [10.0]}),
            "forecasts": pd.DataFrame(
                {
                    "item": "A",
                    "channel": "walk",
                    "zone": np.repeat(stores, left),
                    "date": dates * self.stores,
                    "mean": mean,
                    "std": np.sqrt(mean),
                }
            ),
            "lots": pd.DataFrame(
                {
                    "lot": [f"L{k}" for k in held],
                    "item": "A",
                    "site": [at[k] for k in held],
                    "quantity": quantity[held],
                    "received_date": START,
                }
            ),
        }
        return build_network(make_tables(settings, tables))


def shipped_today(network: Network, solver: Solver) -> FloatArray:
    """(stores,) units that the plan ships on its first day."""
    program = build_program(network)
    solution = solve_whole(network, program, solver, Limits())
    out = np.zeros(len(network.sites.codes))
    if network.outlooks.count > 1:
        decided = read_decided(program, solution.x)
        lane, quantity = decided.lane, decided.quantity
    else:
        columns = program.columns
        now = np.flatnonzero((columns.variable == 0) & (columns.bucket < network.calendar.committed))
        lane, quantity = columns.first[now], solution.x[now]
    np.add.at(out, network.lanes.destination[lane], quantity)
    return out[[network.sites.codes.index(code) for code in sorted(network.sites.codes) if code != "W"]]


def play(season: Season, demand: FloatArray, solver: Solver, seed: int) -> tuple[float, float]:
    """Plan and sell day by day.

    Parameters
    ----------
    season : Season
    demand : (stores, days) float
        What customers ask for. [units]
    solver : Solver
    seed : int
        Of the outlooks.

    Returns
    -------
    lost, pushed : float
        Share of demand lost; share of the units shipped on the first day.
    """
    warehouse, stocks, lost, first = season.units, np.zeros(season.stores), 0.0, 0.0
    for day in range(season.days):
        if day % season.every == 0 and warehouse > 0:
            sent = np.round(shipped_today(season.network(day, warehouse, stocks, seed), solver))
            warehouse -= int(sent.sum())
            stocks += sent
            first = first if day else float(sent.sum()) / season.units
        sold = np.minimum(stocks, demand[:, day])
        stocks -= sold
        lost += float((demand[:, day] - sold).sum())
    return lost / float(demand.sum()), first


def main() -> int:
    """Print the share of demand lost over seasons, with its standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("outlooks", 20), ("seasons", 20), ("days", 14), ("every", 1), ("units", 220), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--demand", type=float, default=20.0)
    asked = parser.parse_args()
    season = Season(days=asked.days, units=asked.units, demand=asked.demand, outlooks=asked.outlooks, every=asked.every)
    draw = np.random.default_rng(asked.seed)
    results = []
    with Solver() as solver:
        for number in range(asked.seasons):
            demand = draw.poisson(season.demand / season.days, (season.stores, season.days)).astype(float)
            results.append(play(season, demand, solver, number))
    lost, pushed = np.array(results).T
    error = lost.std(ddof=1) / np.sqrt(len(lost)) if len(lost) > 1 else float("nan")
    sys.stdout.write(
        f"lost {100 * lost.mean():.2f} % (standard error {100 * error:.2f}), pushed on day one {100 * pushed.mean():.0f} %\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
