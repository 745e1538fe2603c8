"""Why a site got this much: the balance, the lots, the reasons, prices, limits, locks and the next best use."""

import json

import pandas as pd
import pytest

from allocator.explain import UnknownCode, explain
from allocator.tables import read_tables
from tests.measure.sample import NASTY_ITEM, NASTY_SITE, make_certificate, make_plan, write_network


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A made-up network with its plan and certificate."""
    tables = read_tables(write_network(tmp_path_factory.mktemp("network"), items=6, stores=6, days=10))
    plan = make_plan(tables)
    return tables, plan, make_certificate(tables, plan)


def test_the_balance_closes_and_lots_add_up(made):
    """What was there and came equals what left and remains, and each arrival's lots are its quantity."""
    tables = made[0]
    for item in tables.frame("items")["item"]:
        for site in ("DC-EAST", "DC-WEST", "S001", NASTY_SITE):
            told = explain(*made, item, site)
            left = told.shipped_out + told.served + told.waste + told.closing
            assert told.opening + told.receipts + told.shipped_in == pytest.approx(left)
            for arrival in told.arrivals:
                assert sum(part.quantity for part in arrival.lots) == pytest.approx(arrival.quantity)


def test_what_was_asked_became_something(made):
    """Forecast and firm demand equal what was served here and elsewhere, lost and waiting."""
    for asked in explain(*made, "00002", "DC-EAST").asked:
        became = asked.here + asked.elsewhere + asked.lost + asked.waiting
        assert asked.forecast + asked.firm == pytest.approx(became)


def test_binding_rows_are_those_on_the_way(made):
    """Prices at the site, on its lanes and of outbound at its origins are told, dearest first; others are not."""
    tables, plan, certificate = made
    row = {
        "origin": None,
        "destination": None,
        "mode": None,
        "channel": None,
        "date": "2025-10-07",
        "use": 5.0,
        "limit": 5.0,
        "unit": "m3",
    }
    prices = [
        row | {"resource": "outbound", "site": "DC-EAST", "price": 12.4},
        row | {"resource": "storage", "site": "DC-EAST", "price": 99.0},
        row | {"resource": "storage", "site": "S001", "price": 3.0},
        row | {"resource": "storage", "site": "S003", "price": 50.0},
        row
        | {
            "resource": "lane_volume",
            "site": None,
            "origin": "DC-EAST",
            "destination": "S001",
            "mode": "standard",
            "price": 7.0,
        },
        row
        | {
            "resource": "lane_volume",
            "site": None,
            "origin": "DC-EAST",
            "destination": "S003",
            "mode": "standard",
            "price": 70.0,
        },
        row | {"resource": "inbound", "site": "S001", "price": 0.0},
    ]
    told = explain(tables, plan, certificate | {"prices": prices}, "00001", "S001")
    assert [(binding.resource, binding.price) for binding in told.binding] == [
        ("outbound", 12.4),
        ("lane_volume", 7.0),
        ("storage", 3.0),
    ]
    assert (
        "outbound volume at DC-EAST on Tuesday 7 Oct: one more m3 is worth 12.40 USD (5 of 5 m3 used)"
        in told.text().replace("\n    ", " ")
    )


def test_limits_locks_and_what_gave(made):
    """The most specific limit of each day, locks on the site's lanes and its exceptions are told."""
    told = explain(*made, "00002", "DC-EAST")
    assert [(limit.site, limit.date, limit.max_units) for limit in told.limits] == [
        ("*", "*", 40.0),
        ("DC-EAST", "2025-10-08", 30.0),
    ]
    assert told.gave[0].startswith("storage at DC-EAST on Wednesday 8 Oct: by 3.2 m3")
    assert [lock.lock for lock in explain(*made, "00001", "S001").locks] == ["LK1"]
    assert explain(*made, "00002", "S001").locks == []


def test_the_reason_of_lost_demand_is_in_the_verdict(made):
    """When demand is lost the verdict says how much and mostly why."""
    tables, plan, certificate = made
    gone = plan["unmet"].head(0).copy()
    gone.loc[0] = [
        "00001",
        "walk-in",
        "S001",
        pd.Timestamp("2025-10-08"),
        1.0,
        2.5,
        "outbound full",
        "forecast",
        "lost",
    ]
    served = plan["admissions"]
    cut = served[
        (served["item"] == "00001") & (served["site"] == "S001") & (served["date"] == pd.Timestamp("2025-10-08"))
    ].index[0]
    served = served.copy()
    served.loc[cut, "quantity"] -= 1.0
    told = explain(tables, plan | {"unmet": gone, "admissions": served}, certificate, "00001", "S001")
    assert "1 of that demand is lost, mostly for this reason: outbound full." in told.verdict()


def test_the_next_best_use_is_the_highest_bid_elsewhere(made):
    """Other sites are listed by bid price, the site itself is not."""
    tables, plan, certificate = made
    raised = plan["admissions"].copy()
    raised.loc[(raised["site"] == "S003"), "bid_price"] = 77.0
    told = explain(tables, plan | {"admissions": raised}, certificate, "00001", "S001")
    assert (told.next_best[0].site, told.next_best[0].bid_price) == ("S003", 77.0)
    assert all(use.site != "S001" for use in told.next_best)


def test_the_page_fits_a_terminal_and_the_data_is_json(made):
    """Lines have at most 92 characters, the page at most 70 lines, and to_dict is plain JSON without NaN."""
    for item, site in (("00002", "DC-EAST"), (NASTY_ITEM, NASTY_SITE), ("00003", "SUPPLIER")):
        told = explain(*made, item, site)
        lines = told.text().splitlines()
        assert max(map(len, lines)) <= 92
        assert len(lines) <= 70
        assert json.loads(json.dumps(told.to_dict(), allow_nan=False))["item"] == item


@pytest.mark.parametrize(
    ("item", "site", "hint"),
    [
        ("0001", "S001", "'00001'"),
        ("00001", "DC-EST", "'DC-EAST'"),
        ("00001", "s001", "'S001'"),
        ("zzzzzz", "S001", "the first is"),
    ],
)
def test_unknown_codes_suggest_the_nearest(made, item, site, hint):
    """An unknown item or site is refused with the nearest name."""
    with pytest.raises(UnknownCode, match=hint):
        explain(*made, item, site)
