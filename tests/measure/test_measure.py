"""KPIs against figures worked out by hand on a network of two sites and four days."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.measure import KPIS, Days, asked, capacity_use, headline, kpi_page, measure
from allocator.tables import read_tables
from tests.measure.sample import make_certificate, make_plan, write_csv, write_network

PAGE = Path(__file__).parents[2] / "docs" / "kpis.md"


def day(number):
    """Give a date of the hand-made horizon."""
    return pd.Timestamp("2025-10-06") + pd.Timedelta(days=number)


@pytest.fixture
def by_hand(tmp_path):
    """A DC and a store, one item of 2 USD and 0.5 m3: 3 units a day asked in the store, 5 on order by trade."""
    write_csv(
        tmp_path,
        items=pd.DataFrame({"item": ["A"], "unit_cost": [2.0], "unit_volume": [0.5]}),
        sites=pd.DataFrame(
            {"site": ["DC", "ST"], "kind": ["dc", "store"], "outbound_volume": [4.0, ""], "storage_volume": ["", 10.0]}
        ),
        lanes=pd.DataFrame(
            {
                "origin": ["DC"],
                "destination": ["ST"],
                "lead_time_days": [1],
                "daily_volume": [3.0],
                "departs": ["1011111"],
            }
        ),
        channels=pd.DataFrame({"channel": ["shop", "trade"], "unmet": ["lost", "backorder"], "max_wait_days": [0, 2]}),
        fulfilment=pd.DataFrame({"site": ["ST", "DC"], "channel": ["shop", "trade"], "zone": ["ST", "city"]}),
        forecasts=pd.DataFrame(
            [("A", "shop", "ST", day(d).date(), 3) for d in range(4)],
            columns=["item", "channel", "zone", "date", "mean"],
        ),
        orders=pd.DataFrame(
            {
                "order": ["O1"],
                "line": ["1"],
                "item": ["A"],
                "channel": ["trade"],
                "zone": ["city"],
                "due_date": [day(-1).date()],
                "quantity": [5],
            }
        ),
        lots=pd.DataFrame(
            {
                "lot": ["L1", "L2", "L3"],
                "item": "A",
                "site": ["DC", "ST", "ST"],
                "quantity": [10, 4, 2],
                "received_date": "2025-10-01",
                "status": ["available", "available", "blocked"],
            }
        ),
        capacities=pd.DataFrame({"site": ["DC"], "resource": ["outbound"], "date": [day(2).date()], "volume": [1.0]}),
    )
    (tmp_path / "network.toml").write_text('name = "hand"\ncurrency = "USD"\nstart = 2025-10-06\nhorizon_days = 4\n')
    return read_tables(tmp_path)


@pytest.fixture
def hand_plan():
    """Ship 4 and 2; the shop gets 3, 3, 2, 2 and trade 2 and 2; 1 trade unit waits to day 2, then is lost."""
    name = [
        "item",
        "origin",
        "destination",
        "mode",
        "ship_date",
        "arrive_date",
        "quantity",
        "packs",
        "method",
        "committed",
    ]
    shipped = [
        ("A", "DC", "ST", "standard", day(0), day(1), 4.0, 4.0, "push", True),
        ("A", "DC", "ST", "standard", day(2), day(3), 2.0, 2.0, "pull", False),
    ]
    served = [("A", "ST", "shop", "ST", day(d), q, q, 1.0, "forecast") for d, q in enumerate((3.0, 3.0, 2.0, 2.0))]
    served += [("A", "DC", "trade", "city", day(d), 2.0, 2.0, 1.0, "firm") for d in (0, 1)]
    stock = {"DC": (4.0, 2.0, 0.0, 0.0), "ST": (1.0, 2.0, 0.0, 0.0)}
    return {
        "shipments": pd.DataFrame(shipped, columns=name),
        "admissions": pd.DataFrame(
            served,
            columns=["item", "site", "channel", "zone", "date", "quantity", "booking_limit", "bid_price", "claim"],
        ),
        "projections": pd.DataFrame(
            [
                ("A", site, day(d), amount, 0.0, 1.0 if (site, d) == ("DC", 3) else 0.0)
                for site, row in stock.items()
                for d, amount in enumerate(row)
            ],
            columns=["item", "site", "date", "stock", "below_min", "waste"],
        ),
        "unmet": pd.DataFrame(
            [("A", "shop", "ST", day(d), 1.0, 0.0, "", "forecast", "lost") for d in (2, 3)]
            + [("A", "trade", "city", day(2), 1.0, 0.0, "", "firm", "lost")],
            columns=["item", "channel", "zone", "date", "quantity", "cost", "reason", "claim", "status"],
        ),
    }


@pytest.mark.parametrize(
    ("kpi", "scope", "expected"),
    [
        ("value", "network", 100 - 20 - 7),
        ("value_over_rules", "network", 73 - 70),
        ("margin", "network", 100),
        ("freight", "network", 27),
        ("fill_rate", "network", (10 + 2) / 17),
        ("fill_rate", "channel:trade", 2 / 5),
        ("late_units", "channel:trade", 2),
        ("units_lost", "network", 3),
        ("units_waiting", "network", 0),
        ("admitted_share", "channel:trade", 4 / 5),
        ("refused_units", "channel:shop", 2),
        ("units_shipped", "site:DC", 6),
        ("units_shipped", "site:ST", 0),
        ("push_share", "network", 4 / 6),
        ("stockout_rate", "site:ST", 2 / 4),
        ("stockout_rate", "network", 2 / 5),
        ("cycle_service_level", "site:ST", 1 / 3),
        ("cycle_service_level", "site:DC", 1),
        ("inventory_turns", "network", (14 * 2 * 365 / 4) / ((6 + 3) * 2 / 4)),
        ("days_of_cover", "network", 0),
        ("waste_units", "site:DC", 1),
        ("expired_value", "network", 2),
        ("capacity_use", "resource:outbound", (6 + 2 + 2) * 0.5 / (4 + 4 + 1 + 4)),
        ("capacity_peak", "resource:outbound", 1.0),
        ("capacity_use", "resource:storage", (3 + 8) * 0.5 / 40),
        ("capacity_peak", "resource:lane_volume", 2 / 3),
    ],
)
def test_kpis_are_what_they_say(by_hand, hand_plan, kpi, scope, expected):
    """Every KPI equals the figure worked out by hand."""
    costs = {"margin": -100.0, "freight": 20.0, "vehicles": 7.0}
    table = measure(by_hand, hand_plan, costs, {"value": 70.0}).set_index(["kpi", "scope"])["value"]
    assert table[kpi, scope] == pytest.approx(expected)


def test_demand_is_rounded_cumulatively_net_of_orders(by_hand):
    """An overdue order falls on day 0 and the forecasts of other channels are untouched."""
    wanted = asked(by_hand)
    assert wanted.claims["claim"].tolist() == ["forecast", "firm"]
    np.testing.assert_array_equal(wanted.quantity, [[3, 3, 3, 3], [5, 0, 0, 0]])


def test_firm_orders_consume_forecasts_and_overrides_make_claims(tmp_path):
    """Orders reduce the forecast of their own day, and an override names the claim."""
    write_network(tmp_path, items=2, stores=2, days=4)
    rows = [
        ("X", "1", "00001", "web", "north", "2025-10-06", 3, ""),
        ("X", "2", "00001", "web", "north", "2025-10-07", 9, 2),
    ]
    write_csv(
        tmp_path,
        orders=pd.DataFrame(
            rows, columns=["order", "line", "item", "channel", "zone", "due_date", "quantity", "priority"]
        ),
    )
    wanted = asked(read_tables(tmp_path))
    web = wanted.claims.assign(row=range(len(wanted.claims))).query(
        "item == '00001' and channel == 'web' and zone == 'north'"
    )
    quantity = {claim: wanted.quantity[row].tolist() for claim, row in zip(web["claim"], web["row"], strict=True)}
    assert quantity == {"firm": [3, 0, 0, 0], "firm/priority=2": [0, 9, 0, 0], "forecast": [1, 0, 5, 4]}


def test_longer_buckets_hold_their_dates(by_hand):
    """A date belongs to the bucket that holds it, and dates outside the horizon to none."""
    days = Days(by_hand.settings.start, np.array([0, 1]), np.array([1, 3]))
    assert days.buckets_of(pd.Series([day(-1), day(0), day(1), day(3), day(4), pd.NaT])).tolist() == [
        -1,
        0,
        1,
        1,
        -1,
        -1,
    ]


def test_capacity_limits_follow_overrides_and_departures(by_hand, hand_plan):
    """An override replaces one day's limit and a day without departure has no lane volume."""
    use = capacity_use(by_hand, hand_plan)
    assert use.loc[use["resource"] == "outbound", "limit"].tolist() == [4, 4, 1, 4]
    assert use.loc[use["resource"] == "lane_volume", "limit"].tolist() == [3, 0, 3, 3]


def test_an_empty_plan_has_undefined_ratios_not_zeros(by_hand, hand_plan):
    """Nothing shipped leaves the push share undefined while served units are 0."""
    nothing = {name: frame.head(0) for name, frame in hand_plan.items()}
    figures = headline(measure(by_hand, nothing, {}))
    assert math.isnan(figures["push_share"])
    assert figures["units_served"] == 0
    assert "value_over_rules" not in figures


def test_served_lost_and_waiting_add_up_to_what_was_asked(tmp_path):
    """Units are conserved between demand and what became of it, for every channel of a made-up plan."""
    tables = read_tables(write_network(tmp_path, items=6, stores=5, days=8))
    plan = make_plan(tables)
    table = measure(tables, plan, make_certificate(tables, plan)["components"]).set_index(["kpi", "scope"])["value"]
    wanted = asked(tables)
    for channel in ("walk-in", "web", "trade"):
        became = sum(table[kpi, f"channel:{channel}"] for kpi in ("units_served", "units_lost", "units_waiting"))
        assert became == pytest.approx(wanted.quantity[(wanted.claims["channel"] == channel).to_numpy()].sum())


def test_every_kpi_is_told_once_and_the_page_is_current():
    """Names are unique and docs/kpis.md is what the registry says."""
    assert len({kpi.name for kpi in KPIS}) == len(KPIS)
    assert PAGE.read_text(encoding="utf-8") == kpi_page(), "run: python -m allocator.measure > docs/kpis.md"


@pytest.mark.parametrize("words", ["str", "category"])
def test_runs_of_items_add_up(tmp_path, monkeypatch, words):
    """KPIs are the same measured item by item, with rows in any order and words coded, as measured at once."""
    tables = read_tables(write_network(tmp_path, items=6, stores=5, days=8))
    plan = make_plan(tables)
    costs = make_certificate(tables, plan)["components"]
    once = measure(tables, plan, costs)
    monkeypatch.setattr("allocator.measure.codes.CELLS", 1)
    mixed = {}
    for name, frame in plan.items():
        frame = frame.sample(frac=1.0, random_state=3).reset_index(drop=True)
        mixed[name] = frame.astype({c: words for c in frame.columns if isinstance(frame[c].dtype, pd.StringDtype)})
    pd.testing.assert_frame_equal(measure(tables, mixed, costs), once, rtol=1e-12)
