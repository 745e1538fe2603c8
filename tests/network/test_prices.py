"""Prices of what gives, and priority premiums, worked by hand from docs/semantics.md, "The objective"."""

from __future__ import annotations

import pytest

from allocator.network import Network
from allocator.network.prices import Prices, build_prices

from .conftest import Coded

PRICES = "item,channel,margin,unmet_cost\nbolt,walk,4,1\nbolt,web,2,0.5\n"
FORECASTS = "item,channel,zone,date,mean\nbolt,walk,S1,2026-03-02,1\nbolt,web,north,2026-03-02,1\n"
LANES = (
    "origin,destination,mode,lead_time_days,cost_per_unit,cost_per_m3,cost_per_shipment\n"
    "DC,S1,standard,1,1,2,0\nDC,S2,standard,0,1,2,7\n"
)
BOLT, NAIL, OIL = range(3)


def premium(network: Network, prices: Prices, channel: str, label: str, item: int = BOLT) -> float:
    """Premium of a claim."""
    claims = network.claims
    for number, (c, name) in enumerate(zip(claims.channel, claims.label, strict=True)):
        if (network.channels[c], name) == (channel, label):
            return float(prices.premium[item, number])
    raise AssertionError(f"no claim {channel} {label}")


def test_elastic_prices(coded: Coded) -> None:
    """v = 5 (walk's margin + unmet_cost), f = 1 + 2 x 0.5 + 7: every limit's price follows."""
    prices = build_prices(coded(prices=PRICES, forecasts=FORECASTS, lanes=LANES))
    v, f = 5.0, 2.0 + 7.0
    assert prices.worth[BOLT] == v
    assert prices.freight[BOLT] == f
    assert prices.level[BOLT] == pytest.approx(10 * (v + f))
    assert prices.lock[BOLT] == pytest.approx(100 * (v + f))
    # holding: unit_cost 2 x 0.365 / 365 a day
    assert prices.safety[BOLT, 1] == pytest.approx(0.02 * v + 2 * 2 * 0.001)
    # nail: v = unit_cost 1, f = 1.2 + 7; per m3 it is the dearest: 9.2 / 0.1 = 92 against bolt's 14 / 0.5, oil's 13 / 1
    assert prices.worth[NAIL] == 1.0
    assert prices.volume == pytest.approx(10 * 92)
    assert prices.fill == pytest.approx(10 * 14)


def test_worth_counts_overrides_and_is_never_zero(coded: Coded) -> None:
    """An order's own unmet_cost counts in v; an item worth nothing is worth 1."""
    network = coded(
        items="item,category,quantum,unit_cost,unit_volume\nbolt,iron,1,2,0.5\nnail,iron,1,0,0.1\noil,wet,0,3,1\n",
        prices=PRICES,
        orders="order,line,item,channel,zone,due_date,quantity,unmet_cost\nO1,1,bolt,web,north,2026-03-02,1,20\n",
    )
    prices = build_prices(network)
    assert prices.worth[BOLT] == 22.0
    assert prices.worth[NAIL] == 1.0
    assert prices.worth[OIL] == 3.0


def test_premium_lifts_a_smaller_priority_number_above_larger_ones(coded: Coded) -> None:
    """web (2) earns u = 9; walk (1) has u = 5: its premium fills the gap and 0.01 v + the spread of service costs more."""
    prices = "item,channel,margin,unmet_cost\nbolt,walk,4,1\nbolt,web,2,9\n"
    network = coded(prices=prices, forecasts=FORECASTS)
    built = build_prices(network)
    v = 11.0  # web: 2 + 9
    assert premium(network, built, "walk", "forecast") == pytest.approx(9 + 0.01 * v + 0.5 - 5)
    assert premium(network, built, "web", "forecast") == 0.0


def test_no_premium_where_the_order_holds_by_itself(coded: Coded) -> None:
    """walk earns 5 against web's 0.5: nothing has to be lifted."""
    network = coded(prices=PRICES, forecasts=FORECASTS)
    assert premium(network, build_prices(network), "walk", "forecast") == 0.0


def test_premiums_climb_level_by_level(coded: Coded) -> None:
    """Three levels of firm orders of one worth: each stands one step above the one below it."""
    orders = (
        "order,line,item,channel,zone,due_date,quantity,priority\n"
        "O1,1,bolt,walk,S1,2026-03-02,1,1\nO2,1,bolt,walk,S1,2026-03-02,1,2\nO3,1,bolt,walk,S1,2026-03-02,1,3\n"
    )
    network = coded(prices=PRICES, orders=orders, forecasts="item,channel,zone,date,mean\nnail,walk,S1,2026-03-02,1\n")
    built = build_prices(network)
    step = 0.01 * 5 + 0.5
    assert premium(network, built, "walk", "firm/priority=3") == 0.0
    assert premium(network, built, "walk", "firm/priority=2") == pytest.approx(step)
    assert premium(network, built, "walk", "firm/priority=1") == pytest.approx(2 * step)


def test_claims_without_demand_set_no_floor(coded: Coded) -> None:
    """A larger-numbered channel that asks nothing of the item in the horizon lifts nobody."""
    prices = "item,channel,margin,unmet_cost\nbolt,walk,4,1\nbolt,web,2,9\n"
    forecasts = "item,channel,zone,date,mean\nbolt,walk,S1,2026-03-02,1\nnail,web,north,2026-03-02,1\nbolt,web,north,2026-04-02,1\n"
    network = coded(prices=prices, forecasts=forecasts)
    assert premium(network, build_prices(network), "walk", "forecast") == 0.0


def test_firm_comes_before_forecast_in_one_zone(coded: Coded) -> None:
    """Where an item has both in one channel and zone, firm claims get 1e-4 v more; elsewhere nothing."""
    orders = (
        "order,line,item,channel,zone,due_date,quantity\n"
        "O1,1,bolt,walk,S1,2026-03-03,1\nO2,1,nail,walk,S1,2026-03-03,1\n"
    )
    network = coded(prices=PRICES, orders=orders)
    built = build_prices(network)
    assert premium(network, built, "walk", "firm") == pytest.approx(1e-4 * 5)
    assert premium(network, built, "walk", "firm", NAIL) == 0.0
    assert premium(network, built, "walk", "forecast") == 0.0
