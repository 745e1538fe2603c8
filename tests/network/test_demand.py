"""Claims and their demand against figures worked by hand from docs/semantics.md, "Demand"."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.network import Network
from allocator.network.demand import claim_label

from .conftest import Coded

FORECAST = "item,channel,zone,date,mean\n"
ORDERS = "order,line,item,channel,zone,due_date,quantity,priority,unmet_cost\n"
WEEK = "horizon_days = 6\nbuckets = [1, 2, 3]\n"


def rows(network: Network) -> list[tuple[str, str, int, float]]:
    """Demand as (item, claim label, bucket, quantity)."""
    d = network.demand
    return [
        (network.items[i], network.claims.label[c], int(t), float(q))
        for i, c, t, q in zip(d.item, d.claim, d.bucket, d.quantity, strict=True)
    ]


def daily(item: str, *means: float) -> str:
    """A forecast of walk-in demand from the start on."""
    return FORECAST + "".join(f"{item},walk,S1,2026-03-0{2 + k},{mean}\n" for k, mean in enumerate(means))


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ((0.4, 0.4, 0.4, 0.4), [0, 1, 0, 1]),  # sums 0.4 0.8 1.2 1.6 round to 0 1 1 2
        ((0.5, 0.5, 0.5, 0.5), [1, 0, 1, 0]),  # halves round up: 0.5 -> 1, 1.0 -> 1, 1.5 -> 2
        ((2.5, 0, 0, 0.4), [3, 0, 0, 0]),
        ((1.3, 1.3, 1.3, 0.1), [1, 2, 1, 0]),  # 1.3 2.6 3.9 4.0
    ],
)
def test_forecasts_round_cumulatively(coded: Coded, means: tuple[float, ...], expected: list[int]) -> None:
    """Whole quanta follow the running sum of the means, so that rounding never loses more than half a quantum."""
    found = rows(coded(forecasts=daily("bolt", *means)))
    assert found == [("bolt", "forecast", t, float(q)) for t, q in enumerate(expected) if q]


def test_quanta_other_than_one_round_to_their_multiples(coded: Coded) -> None:
    """With quantum 6, sums of 2, 4, 10 and 14 round to 0, 6, 12 and 12."""
    items = "item,category,quantum\nbolt,iron,6\nnail,iron,1\noil,wet,0\n"
    lots = "lot,item,site,quantity,received_date\nL1,bolt,DC,12,2026-02-01\n"
    found = rows(coded(items=items, lots=lots, forecasts=daily("bolt", 2, 2, 6, 4)))
    assert found == [("bolt", "forecast", 1, 6.0), ("bolt", "forecast", 2, 6.0)]


def test_continuous_items_are_not_rounded(coded: Coded) -> None:
    """With quantum 0 demand is the mean itself."""
    assert rows(coded(forecasts=daily("oil", 0.25, 1.75))) == [
        ("oil", "forecast", 0, 0.25),
        ("oil", "forecast", 1, 1.75),
    ]


def test_buckets_add_up_their_days(coded: Coded) -> None:
    """A bucket's demand is the sum of its dates, in the bucket that holds them."""
    assert rows(coded(WEEK, forecasts=daily("bolt", 1, 2, 3, 4, 5, 6))) == [
        ("bolt", "forecast", 0, 1.0),
        ("bolt", "forecast", 1, 5.0),
        ("bolt", "forecast", 2, 15.0),
    ]


def test_forecasts_outside_the_horizon_are_not_used(coded: Coded) -> None:
    """A forecast before the start or after the end is no demand."""
    outside = FORECAST + "bolt,walk,S1,2026-03-01,5\nbolt,walk,S1,2026-03-06,7\nbolt,walk,S1,2026-03-05,2\n"
    assert rows(coded(forecasts=outside)) == [("bolt", "forecast", 3, 2.0)]


def test_orders_consume_the_forecast_of_their_bucket(coded: Coded) -> None:
    """Firm orders take their quantity off the forecast of the same item, channel, zone and day, never below zero."""
    orders = ORDERS + "O1,1,bolt,walk,S1,2026-03-02,3,,\nO2,1,bolt,walk,S1,2026-03-03,9,,\n"
    found = rows(coded(forecasts=daily("bolt", 5, 4, 2), orders=orders))
    assert found == [
        ("bolt", "forecast", 0, 2.0),
        ("bolt", "forecast", 2, 2.0),
        ("bolt", "firm", 0, 3.0),
        ("bolt", "firm", 1, 9.0),
    ]


def test_orders_of_another_item_channel_or_zone_consume_nothing(coded: Coded) -> None:
    """An order for something else leaves the forecast alone."""
    orders = ORDERS + "O1,1,nail,walk,S1,2026-03-02,3,,\nO2,1,bolt,web,north,2026-03-02,3,,\n"
    found = rows(coded(forecasts=daily("bolt", 5), orders=orders))
    assert ("bolt", "forecast", 0, 5.0) in found
    assert len(found) == 3


def test_claims_are_told_apart_by_their_overrides(coded: Coded) -> None:
    """Orders with other priorities or unmet costs are claims of their own, named with %g; equal ones are added up."""
    orders = (
        ORDERS + "O1,1,bolt,web,north,2026-03-02,1,,\nO1,2,bolt,web,north,2026-03-02,2,,\n"
        "O2,1,bolt,web,north,2026-03-02,3,3,\nO3,1,bolt,web,north,2026-03-02,4,,2.50\nO4,1,bolt,web,north,2026-03-02,5,3,2.5\n"
    )
    network = coded(orders=orders, forecasts=FORECAST + "nail,web,north,2026-03-02,1\n")
    quantity = {label: q for item, label, _, q in rows(network) if item == "bolt"}
    assert quantity == {"firm": 3, "firm/priority=3": 3, "firm/unmet_cost=2.5": 4, "firm/priority=3/unmet_cost=2.5": 5}
    by_label = dict(zip(network.claims.label, network.claims.priority.tolist(), strict=True))
    assert by_label["firm"] == by_label["forecast"] == 2  # the channel's
    assert by_label["firm/priority=3"] == 3
    cost = dict(zip(network.claims.label, network.claims.unmet_cost, strict=True))
    assert cost["firm/unmet_cost=2.5"] == 2.5
    assert np.isnan(cost["firm"])


@pytest.mark.parametrize(
    ("priority", "unmet", "label"),
    [(np.nan, np.nan, "firm"), (2.0, np.nan, "firm/priority=2"), (np.nan, 0.125, "firm/unmet_cost=0.125"),
     (1.0, 1e6, "firm/priority=1/unmet_cost=1e+06")],
)  # fmt: skip
def test_labels(priority: float, unmet: float, label: str) -> None:
    """A claim of firm orders is named for its overrides alone."""
    assert claim_label(priority, unmet) == label


@pytest.mark.parametrize(
    ("due", "last"),
    [("2026-03-02", 2), ("2026-03-01", 1), ("2026-02-28", 0), ("2026-01-01", 0), ("2026-03-04", 4)],
)
def test_overdue_orders_wait_the_rest_of_their_days(coded: Coded, due: str, last: int) -> None:
    """An order may be served until its due date plus max_wait_days; overdue ones fall on day 0; past the end they wait on."""
    network = coded(orders=ORDERS + f"O1,1,bolt,web,north,{due},3,,\n")
    firm = network.claims.firm[network.demand.claim]
    assert network.demand.last[firm].tolist() == [last]
    assert network.demand.bucket[firm].tolist() == [2 if due == "2026-03-04" else 0]


def test_overdue_orders_of_one_label_are_kept_apart_by_their_wait(coded: Coded) -> None:
    """Overdue orders with different waits left are one claim with different last buckets."""
    orders = (
        ORDERS + "O1,1,bolt,web,north,2026-03-01,1,,\nO2,1,bolt,web,north,2026-03-02,2,,\n"
        "O3,1,bolt,web,north,2026-02-20,4,,\nO4,1,bolt,web,north,2026-02-28,8,,\n"
    )
    network = coded(orders=orders)
    firm = network.claims.firm[network.demand.claim]
    found = sorted(zip(network.demand.last[firm].tolist(), network.demand.quantity[firm].tolist(), strict=True))
    assert found == [(0, 12.0), (1, 1.0), (2, 2.0)]
    assert {network.claims.label[c] for c in network.demand.claim[firm]} == {"firm"}


def test_waits_count_from_the_last_day_of_a_longer_bucket(coded: Coded) -> None:
    """Demand of a bucket of days 1-2 waits two days from day 2, into the bucket of days 3-5; lost channels wait for nothing."""
    network = coded(WEEK, forecasts=FORECAST + "bolt,web,north,2026-03-02,1\nbolt,walk,S1,2026-03-02,1\n")
    channel = network.claims.channel[network.demand.claim]
    last = {network.channels[c]: int(b) for c, b in zip(channel, network.demand.last, strict=True)}
    assert last == {"walk": 0, "web": 1}


def test_service_arcs_carry_delivery_and_remaining_life(coded: Coded) -> None:
    """Each claim may be served from every site with a fulfilment row for its channel and zone."""
    channels = "channel,priority,unmet,max_wait_days,min_remaining_life_days\nwalk,1,lost,0,3\nweb,2,backorder,2,7\n"
    fulfilment = (
        "site,channel,zone,delivery_days,cost_per_unit\nS1,walk,S1,0,0\nDC,web,north,1,0.5\nS2,web,north,2,0.75\n"
    )
    network = coded(channels=channels, fulfilment=fulfilment, forecasts=FORECAST + "bolt,web,north,2026-03-02,1\n")
    c = network.claims
    arcs = sorted(
        (network.sites.codes[s], int(d), int(life), float(cost))
        for s, d, life, cost in zip(c.arc_site, c.arc_delivery, c.arc_life, c.arc_cost, strict=True)
    )
    assert arcs == [("DC", 1, 7, 0.5), ("S2", 2, 7, 0.75)]
