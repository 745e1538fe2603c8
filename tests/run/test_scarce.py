"""Where one customer would take all there is, the next unit is worth what that customer pays, wherever it lies."""

import datetime as dt

import pandas as pd
import pytest

import allocator
from allocator.engine.problem import Limits
from allocator.engine.process import Solver
from allocator.engine.whole import as_problem
from allocator.network import build_network
from allocator.plan.tight import stock_values
from allocator.program.stack import build_program
from allocator.tables import Tables, make_tables
from tests.priced.solo import stay_in_process

START = dt.date(2026, 3, 2)
DAYS = 4
WEB, SHOP, FREIGHT = 5.0, 9.0, 1.0
"""Margins of who buys at the warehouse every day and of who buys in the shop on the last day; freight to the shop. [EUR per unit]"""


def scarce(stock: float, outlooks: int = 1) -> Tables:
    """A warehouse that sells to the web and supplies one shop, whose only customers come on the last day for twelve units."""
    dates = [START + dt.timedelta(t) for t in range(DAYS)]
    return make_tables(
        {"name": "scarce", "currency": "EUR", "start": START, "horizon_days": DAYS, "outlooks": outlooks},
        {
            "items": pd.DataFrame({"item": ["A"], "unit_cost": [0.0]}),
            "sites": pd.DataFrame({"site": ["W", "S"], "kind": ["dc", "store"]}),
            "lanes": pd.DataFrame(
                {"origin": ["W"], "destination": ["S"], "lead_time_days": [1], "cost_per_unit": [FREIGHT]}
            ).assign(departs="1000000"),
            "channels": pd.DataFrame({"channel": ["shop", "web"], "priority": [1, 2]}),
            "fulfilment": pd.DataFrame({"site": ["S", "W"], "channel": ["shop", "web"], "zone": ["S", "web"]}),
            "prices": pd.DataFrame({"item": "A", "channel": ["shop", "web"], "margin": [SHOP, WEB], "unmet_cost": 0.0}),
            "forecasts": pd.DataFrame(
                {
                    "item": "A",
                    "channel": ["shop"] + ["web"] * DAYS,
                    "zone": ["S"] + ["web"] * DAYS,
                    "date": [dates[-1], *dates],
                    "mean": [12.0] + [1.0] * DAYS,
                    "std": 0.0,
                }
            ),
            "lots": pd.DataFrame(
                {"lot": ["L"], "item": ["A"], "site": ["W"], "quantity": [stock], "received_date": [START]}
            ),
        },
    )  # fmt: skip


@pytest.mark.parametrize("outlooks", [1, 3])
@pytest.mark.parametrize(("stock", "worth"), [(10.0, SHOP - FREIGHT), (14.0, WEB), (30.0, 0.0)])
def test_no_bound_takes_a_part_of_a_price(stock: float, worth: float, outlooks: int) -> None:
    """What all there is bounds (lorries, sales, stock) leaves the stock's price alone: by hand, and by solving again with a unit more and less."""
    network = build_network(scarce(stock, outlooks))
    program = build_program(network)
    problem = as_problem(program)
    assert not problem.integer.any()
    with Solver() as solver:
        answer = solver.solve(problem, Limits())
        for by in (1.0, -1.0):
            other = as_problem(build_program(build_network(scarce(stock + by, outlooks))))
            assert (answer.objective - solver.solve(other, Limits()).objective) * by == pytest.approx(worth, abs=1e-6)
    assert answer.row_dual is not None
    found = dict(zip(*(values.tolist() for values in stock_values(network, program, answer.row_dual)), strict=True))
    key = network.sites.codes.index("W") * network.calendar.buckets
    assert found.get(key, 0.0) == pytest.approx(worth, abs=1e-6)


@pytest.mark.parametrize("engine", ["whole", "priced"])
def test_a_plan_tells_the_price(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both engines: all ten units go to the shop, where the next one earns its margin."""
    stay_in_process(monkeypatch)
    plan = allocator.solve(scarce(10.0), engine=engine)
    sold = plan.admissions
    assert sold["quantity"].tolist() == [10.0]
    assert sold["bid_price"].tolist() == pytest.approx([SHOP])
