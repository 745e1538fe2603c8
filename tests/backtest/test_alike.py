"""Plans made anew every day decide some days' shipments alike for all outlooks: what they see, and what they earn."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from allocator.backtest import Setting, backtest
from allocator.backtest.ground import build_ground
from allocator.backtest.player import Player
from allocator.backtest.shelves import Shelves
from allocator.backtest.solving import whole_until
from allocator.backtest.view import Lens, seen
from allocator.network import build_network
from allocator.program.stack import build_program
from allocator.tables import Tables, make_tables
from benchmarks.backtests import START, jia, season

WEEKS = 6
SOLD = 30.0
"""Units a week at each of the stores; half of it on one day."""


def chain(stores: int = 4, supply: float = 0.9) -> Tables:
    """A maker, three days to a warehouse, a day to stores whose demand is lumpy; each Monday brings ``supply`` times what is asked for."""
    codes = [f"S{k}" for k in range(stores)]
    days = 7 * WEEKS
    mean = np.tile(np.array([0.5, 0.0, 0.2, 0.2, 0.1, 0.0, 0.0]) * SOLD, WEEKS)
    lanes = pd.DataFrame({"origin": ["M"] + ["W"] * stores, "destination": ["W", *codes]})
    lead = [3] + [1] * stores
    arrivals = [START + dt.timedelta(7 * w) for w in range(WEEKS)]
    quantity = round(supply * stores * SOLD)
    lots = pd.DataFrame({"item": "A", "site": codes, "quantity": SOLD, "received_date": START})
    return make_tables(
        {
            "name": "chain",
            "currency": "EUR",
            "start": START,
            "horizon_days": 14,
            "buckets": [1, 1, 1, 1, 1, 1, 1, 7],
        },
        {
            "items": pd.DataFrame({"item": ["A"], "unit_cost": [1.0]}),
            "sites": pd.DataFrame({"site": ["M", "W", *codes], "kind": ["plant", "dc"] + ["store"] * stores}),
            "lanes": lanes.assign(lead_time_days=lead, cost_per_unit=0.1, departs="1111100"),
            "channels": pd.DataFrame({"channel": ["walk"]}),
            "fulfilment": pd.DataFrame({"site": codes, "channel": "walk", "zone": codes}),
            "prices": pd.DataFrame({"item": ["A"], "channel": ["walk"], "margin": [10.0]}),
            "forecasts": pd.DataFrame(
                {
                    "item": "A",
                    "channel": "walk",
                    "zone": np.repeat(codes, days),
                    "date": [START + dt.timedelta(t) for t in range(days)] * stores,
                    "mean": np.tile(mean, stores),
                    "std": np.sqrt(20 * np.tile(mean, stores)),
                }
            ),
            "lots": lots.assign(lot=[f"L{k}" for k in range(stores)]),
            "receipts": pd.DataFrame({"item": "A", "site": "M", "date": arrivals, "quantity": quantity}).assign(
                receipt=[f"R{w}" for w in range(WEEKS)]
            ),
        },
    )


def test_the_longest_way_goes_from_goods_to_customers() -> None:
    """Three days and one to the stores; none where all goods lie beside their customers, or lanes take no time."""
    assert build_ground(chain(), 14).longest_way == 4
    assert build_ground(season(), 5).longest_way == 0
    assert build_ground(jia(), 1).longest_way == 0


def test_a_hedging_plan_sees_daily_buckets_decided_alike() -> None:
    """A day more than the longest way is decided alike, in daily buckets; plans on the mean, and networks without ways, commit as before."""
    with Player(chain(), Setting(days=14, outlooks=3)) as player:
        assert player.alike == 5
        ground = player.ground
    coarse = chain()
    coarse = coarse.replace(settings=coarse.settings.model_copy(update={"buckets": (1, 1, 12)}))
    assert any("keep the first 4 days single" in note for note in coarse.notes)
    assert not any("single" in note for note in chain().notes)
    ground = build_ground(coarse, 14)
    hedged = seen(ground, Lens(3, 0, 1, 5), 0, Shelves(ground), []).settings
    assert (hedged.commit_days, hedged.buckets) == (5, (1, 1, 1, 1, 1, 9))
    finer = seen(ground, Lens(3, 0, 1, 5, 4), 0, Shelves(ground), []).settings
    assert (finer.commit_days, finer.buckets) == (5, (*(1,) * 9, 5))
    plain = seen(ground, Lens(1, 0, 1), 0, Shelves(ground), []).settings
    assert (plain.commit_days, plain.buckets) == (1, (1, 1, 12))
    # a season's last days are all that is left to decide
    last = build_ground(chain(), 7 * WEEKS)
    assert seen(last, Lens(3, 0, 1, 5), 7 * WEEKS - 2, Shelves(last), []).settings.commit_days == 2


def test_only_what_leaves_before_the_next_plan_is_packed_whole() -> None:
    """Packs of later days stay integers of no program that is solved again before they leave."""
    tables = chain()
    lanes = tables.frame("lanes")
    packs = lanes[["origin", "destination"]].assign(item="A", pack_size=6.0)
    settings = tables.settings.model_copy(update={"commit_days": 5})
    network = build_network(tables.replace(item_lanes=packs, settings=settings))
    program = build_program(network)
    bucket = np.concatenate([program.columns.bucket, program.shared.key[:, 1]])
    assert set(bucket[program.integer]) > {0}
    for every in (1, 2):
        left = whole_until(program, network, every).integer
        assert np.array_equal(left, program.integer & (bucket < every))
        assert left.any()


def test_hedging_closes_half_of_the_way_to_the_bound() -> None:
    """Four days of way, lumpy demand, short supply: ours beats fair shares on each path, by half at least of what knowing all demand would add."""
    setting = Setting(days=21, outlooks=3, seed=4)
    made = backtest(chain(), setting, policies=["outlooks", "rule-a", "bound"], replications=3)
    margin = made.tables["plays"].pivot(index="replication", columns="policy", values="margin")
    assert (margin["outlooks"] > margin["rule-a"]).all()
    total = margin.sum()
    assert total["outlooks"] - total["rule-a"] >= 0.5 * (total["bound"] - total["rule-a"])
