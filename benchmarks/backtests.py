"""Networks on which the backtest is measured, and the command that measures: ``python -m benchmarks.backtests CASE``.

``jia``: one site, store demand first, orders online may be cancelled (Jia, Karp, Ravi, Tayur 2022). ``season``: one warehouse, ten stores, two shots.
``iowa``: the demo network over many weeks with too little supply.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from allocator.backtest import DEFAULT, Setting, backtest
from allocator.backtest.ground import drawn_out
from allocator.backtest.told import summary
from allocator.tables import Tables, make_tables, read_tables

START = dt.date(2026, 3, 2)
IOWA = Path(__file__).parent.parent / "scenarios" / "iowa"
WEEK = 7


def jia(stock: float = 150, store: float = 100, online: float = 60, margin: float = 20, cancel: float = 10) -> Tables:
    """One site and day: walk-in demand is served first, orders online are accepted before and cancelled when nothing is left."""
    return make_tables(
        {"name": "accept first, cancel later", "currency": "EUR", "start": START, "horizon_days": 1},
        {
            "items": pd.DataFrame({"item": ["A"]}),
            "sites": pd.DataFrame({"site": ["S"], "kind": ["store"], "holding_rate": [0.0]}),
            "lanes": _lanes("S", []),
            "channels": pd.DataFrame({"channel": ["store", "online"], "priority": [1, 2]}),
            "fulfilment": pd.DataFrame({"site": ["S", "S"], "channel": ["store", "online"], "zone": ["S", "web"]}),
            "prices": pd.DataFrame(
                {
                    "item": "A",
                    "channel": ["store", "online"],
                    "margin": [1.5 * (margin + cancel), margin],
                    "cancel_cost": [0.0, cancel],
                }
            ),
            "forecasts": pd.DataFrame(
                {
                    "item": "A",
                    "channel": ["store", "online"],
                    "zone": ["S", "web"],
                    "date": START,
                    "mean": [store, online],
                    "std": np.sqrt([store, online]),
                }
            ),
            "lots": _lot("S", stock),
        },
    )


def season(
    stores: int = 10,
    demand: float = 20,
    units: float = 220,
    days: int = 5,
    departs: str = "1001000",
    margin: float = 10,
) -> Tables:
    """One warehouse and equal stores: season demand is Poisson, lanes take no time and leave on the days of ``departs`` (Monday is the first day)."""
    codes = [f"S{k:02d}" for k in range(stores)]
    mean = demand / days
    return make_tables(
        {"name": "season", "currency": "EUR", "start": START, "horizon_days": days},
        {
            "items": pd.DataFrame({"item": ["A"]}),
            "sites": pd.DataFrame({"site": ["W", *codes], "kind": ["dc"] + ["store"] * stores}),
            "lanes": _lanes("W", codes).assign(departs=departs),
            "channels": pd.DataFrame({"channel": ["walk"]}),
            "fulfilment": pd.DataFrame({"site": codes, "channel": "walk", "zone": codes}),
            "prices": pd.DataFrame({"item": ["A"], "channel": ["walk"], "margin": [margin]}),
            "forecasts": pd.DataFrame(
                {
                    "item": "A",
                    "channel": "walk",
                    "zone": np.repeat(codes, days),
                    "date": [START + dt.timedelta(t) for t in range(days)] * stores,
                    "mean": mean,
                    "std": mean**0.5,
                }
            ),
            "lots": _lot("W", units),
        },
    )


def _lanes(origin: str, destinations: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame({"destination": pd.Series(destinations, dtype=str)})
    return frame.assign(origin=pd.Series([origin] * len(frame), dtype=str), lead_time_days=0)


def _lot(site: str, quantity: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"lot": ["L"], "item": ["A"], "site": [site], "quantity": [float(quantity)], "received_date": [START]}
    )


def iowa(items: int, weeks: int, supply: float) -> Tables:
    """The demo network with some of its items, played on for weeks on ``supply`` times the demand that is expected.

    Parameters
    ----------
    items : int
        Items kept, evenly over their codes.
    weeks : int
    supply : float
        Opening stock (that of the makers apart) and weekly receipts at the makers, over the mean demand of all weeks.

    Notes
    -----
    What all items share is cut to what these items take of it: outbound docks, lanes and admission limits by their part of the expected volume;
    vehicles are paid by the m3, as if the rest of each were full of other items. Storage and inbound limits, which no play enforces,
    locks, firm orders and the demo's own receipts are left out. Forecasts cover all weeks, the last week of the demo's repeated: as the bound does,
    every policy knows that nothing is sold afterwards. Plans look four weeks ahead.
    """
    tables = read_tables(IOWA)
    frames = {name: tables.frame(name) for name in tables if tables[name].num_rows}
    codes = frames["items"]["item"].tolist()
    kept = [codes[k] for k in np.linspace(0, len(codes) - 1, min(items, len(codes))).round().astype(int)]
    volume = frames["items"].set_index("item")["unit_volume"]
    forecast = frames["forecasts"]
    expected = forecast["mean"] * forecast["item"].map(volume)
    part = float(expected[forecast["item"].isin(kept)].sum() / expected.sum())
    for name, frame in frames.items():
        if "item" in frame and name != "item_lanes":
            frames[name] = frame[frame["item"].isin(kept)]
    frames["item_lanes"] = frames["item_lanes"][frames["item_lanes"]["item"].isin(kept)]
    lanes = frames["lanes"]
    frames["lanes"] = lanes.assign(
        cost_per_m3=lanes["cost_per_m3"] + (lanes["cost_per_shipment"] / lanes["vehicle_volume"]).fillna(0.0),
        cost_per_shipment=0.0,
        daily_volume=lanes["daily_volume"] * part,
    )
    outbound = frames["sites"]["outbound_volume"] * part
    frames["sites"] = frames["sites"].assign(outbound_volume=outbound, storage_volume=np.nan, inbound_volume=np.nan)
    capacities = frames["capacities"][frames["capacities"]["resource"] == "outbound"]
    frames["capacities"] = capacities.assign(volume=capacities["volume"] * part)
    limits = frames["admission_limits"]
    frames["admission_limits"] = limits.assign(max_units=np.ceil(limits["max_units"] * part))
    frames["lots"], frames["receipts"] = _supplied(frames, tables, weeks, supply)
    for name in ("locks", "orders"):
        frames.pop(name, None)
    forecasts, _ = drawn_out(tables.replace(forecasts=frames["forecasts"]), weeks * WEEK)
    last = pd.Timestamp(tables.settings.start) + pd.Timedelta(days=weeks * WEEK)
    frames["forecasts"] = forecasts[forecasts["date"] < last]
    buckets = (*(1,) * WEEK, 3 * WEEK)
    settings = tables.settings.model_copy(update={"buckets": buckets, "horizon_days": sum(buckets)})
    return make_tables(settings, dict(frames))


def _supplied(
    frames: dict[str, pd.DataFrame], tables: Tables, weeks: int, supply: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Opening lots without the makers', and what the makers get every Monday."""
    lots = frames["lots"][frames["lots"]["site"] != "MAKERS"]
    weekly = frames["forecasts"].groupby("item")["mean"].sum() / (tables.settings.horizon_days / WEEK)
    opening = lots[lots["status"] == "available"].groupby("item")["quantity"].sum()
    rows = []
    for item, rate in weekly.items():
        wanted = max(supply * weeks * rate - float(opening.get(item, 0.0)), 0.0)
        came = np.diff(np.floor(np.arange(weeks + 1) * wanted / weeks + 0.5))
        for week in np.flatnonzero(came > 0):
            date = tables.settings.start + dt.timedelta(int(week) * WEEK)
            rows.append((f"W{week:02d}-{item}", item, "MAKERS", came[week], date))
    return lots, pd.DataFrame(rows, columns=["receipt", "item", "site", "quantity", "date"])


def main() -> int:
    """Play a case and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=["jia", "season", "iowa"])
    for name, value in (
        ("replications", 20),
        ("outlooks", 20),
        ("every", 1),
        ("workers", 1),
        ("items", 2),
        ("weeks", 26),
        ("seed", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--alike", type=int, help="days alike; default as in allocator backtest")
    parser.add_argument("--plan-seconds", type=float, default=60)
    parser.add_argument("--gap", type=float, default=0.01)
    parser.add_argument("--supply", type=float, default=0.9)
    parser.add_argument("--policies", default=",".join(DEFAULT))
    parser.add_argument("--out")
    asked = parser.parse_args()
    if asked.case == "iowa":
        tables, days = iowa(asked.items, asked.weeks, asked.supply), asked.weeks * WEEK
    else:
        tables = {"jia": jia, "season": season}[asked.case]()
        days = tables.settings.horizon_days
    setting = Setting(
        days=days,
        every=asked.every,
        outlooks=asked.outlooks,
        alike=asked.alike,
        seed=asked.seed,
        gap=asked.gap,
        seconds=asked.plan_seconds,
    )
    made = backtest(
        tables, setting, policies=asked.policies.split(","), replications=asked.replications, workers=asked.workers,
        out=asked.out, resume=asked.out is not None,
        tell=lambda event, facts: print(event, facts, file=sys.stderr, flush=True),
    )  # fmt: skip
    sys.stdout.write(summary(made) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
