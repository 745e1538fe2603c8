"""Plans against several outlooks, from tables to an audited plan."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import allocator
from allocator.engine.outlooks import read_decided
from allocator.engine.problem import Limits
from allocator.engine.process import Solver
from allocator.engine.whole import as_problem, solve_whole
from allocator.generate import generate
from allocator.network import build_network
from allocator.plan.tight import whole_marginals
from allocator.program.stack import build_program
from allocator.tables import read_tables
from benchmarks.season import Season, play, shipped_today
from tests.priced.solo import stay_in_process
from tests.program.networks import CASES, write_case


@pytest.mark.parametrize("case", CASES)
def test_every_plan_passes_its_audit(case: str, tmp_path: Path) -> None:
    """Plans of every law, hedged over three outlooks, are audited on the mean demand; the certificate says what was proven where."""
    plan = allocator.solve(allocator.read(write_case(case, tmp_path, outlooks=3, common_factor=0.3)))
    assert plan.audit is not None
    assert plan.audit.ok, plan.audit
    told = plan.certificate["outlooks"]
    assert told["count"] == 3
    assert told["bound"] <= told["expected_objective"] + 1e-6
    assert len(told["objectives"]) == 3
    assert np.mean(told["objectives"]) == pytest.approx(told["expected_objective"])
    hedge = plan.hedge
    assert (hedge["over_push"] >= -1e-6).all()
    assert (hedge["over_pull"] >= -1e-6).all()
    assert (hedge["lack_of_buffer"] >= -1e-6).all()
    assert case == "jit" or not hedge["lack_of_buffer"].any()
    _check_split(plan)
    _check_bookings(plan)


def _check_split(plan: Any) -> None:
    """Pushed units are the committed shipments, reserved units the reserves; what is called lies between its least and most."""
    split = plan.split
    committed = plan.shipments[plan.shipments["committed"]]
    brought = committed.groupby(["item", "destination"], observed=True)["quantity"].sum()
    assert split.groupby(["item", "site"], observed=True)["pushed"].sum().pipe(
        lambda s: s[s > 0]
    ).to_dict() == pytest.approx(brought.to_dict())
    assert split["reserved"].sum() == pytest.approx(plan.reserves["quantity"].sum())
    assert (split["called_least"] <= split["called"] + 1e-9).all()
    assert (split["called"] <= split["called_most"] + 1e-9).all()


def _check_bookings(plan: Any) -> None:
    """Limits are within stock, cover what the plan admits, and stand in admissions too."""
    bookings = plan.bookings
    assert (bookings["booking_limit"] <= bookings["available"] + 1e-6).all()
    keys = ["item", "site", "channel", "date"]
    assert not bookings.duplicated(keys).any()
    mine = plan.admissions[plan.admissions["claim"] == "forecast"]
    joined = mine.merge(bookings, on=keys, suffixes=("", "_policy"))
    assert (joined["booking_limit"] == joined["booking_limit_policy"]).all()
    assert (
        joined.groupby(keys, observed=True)["quantity"].sum()
        <= joined.groupby(keys, observed=True)["booking_limit"].max() + 1e-6
    ).all()


def _same(one: pd.DataFrame, two: pd.DataFrame) -> None:
    """The same rows, words as strings or as categories."""
    words = [name for name in two.columns if isinstance(two[name].dtype, pd.CategoricalDtype)]
    pd.testing.assert_frame_equal(
        one.astype(dict.fromkeys(words, "object")), two.astype(dict.fromkeys(words, "object"))
    )


def test_shuffled_tables_give_the_same_bytes(tmp_path: Path) -> None:
    """The same network with its rows in another order gives the same tables."""
    one = allocator.solve(allocator.read(write_case("plain", tmp_path / "one", outlooks=3)))
    folder = write_case("plain", tmp_path / "two", outlooks=3)
    for name in ("forecasts", "lots", "prices", "fulfilment", "sites", "lanes"):
        path = folder / f"{name}.csv"
        head, *rows = path.read_text().splitlines()
        path.write_text("\n".join([head, *rows[::-1]]) + "\n")
    two = allocator.solve(allocator.read(folder))
    for name, frame in one.tables.items():
        if name != "ledger":
            pd.testing.assert_frame_equal(frame, two.tables[name])


def test_a_plan_on_the_mean_has_no_policy(tmp_path: Path) -> None:
    """With one outlook bookings and hedge are empty, the split stands, and the certificate says nothing of outlooks."""
    plan = allocator.solve(allocator.read(write_case("plain", tmp_path)))
    assert plan.bookings.empty
    assert plan.hedge.empty
    assert "outlooks" not in plan.certificate
    assert plan.split["pushed"].sum() > 0
    assert (plan.admissions["booking_limit"] == plan.admissions["quantity"]).all()
    again = allocator.read_plan(plan.write(tmp_path / "plan"))
    _same(again.split, plan.split)


def test_hedged_plan_is_read_back_whole(tmp_path: Path) -> None:
    """All tables of a hedged plan survive the disk, and it verifies there."""
    plan = allocator.solve(allocator.read(write_case("plain", tmp_path, outlooks=3)))
    again = allocator.read_plan(plan.write(tmp_path / "plan"))
    for name in ("bookings", "split", "hedge"):
        _same(getattr(again, name), getattr(plan, name))
    assert again.verify().ok
    assert again.certificate["outlooks"] == plan.certificate["outlooks"]


def test_bid_prices_are_what_one_unit_more_is_worth(tmp_path: Path) -> None:
    """At 20 places the price lies between what a unit more brings and what a unit less costs, found by solving again."""
    rng = np.random.default_rng(2)
    stock = {(item, site): 0 for item in ("milk", "bolt") for site in ("DC", "S1", "S2")}

    def value(changed: tuple[str, str] | None, by: int) -> tuple[float, Any]:
        def lots(files: dict[str, str]) -> None:
            files.pop("receipts.csv")
            rows = [
                f"L{item}{site},{item},{site},{quantity + (by if changed == (item, site) else 0)},2026-02-20,,available"
                for (item, site), quantity in stock.items()
            ]
            files["lots.csv"] = files["lots.csv"].splitlines()[0] + "\n" + "\n".join(rows) + "\n"

        network = build_network(read_tables(write_case("plain", tmp_path / f"{changed}{by}", outlooks=5, change=lots)))
        program = build_program(network)
        answer = solver.solve(as_problem(program), Limits(gap=1e-9, accept=1e-9))
        return -answer.objective, (network, program, answer)

    places = 0
    with Solver() as solver:
        for _ in range(4):
            stock = {key: int(rng.integers(2, 25)) for key in stock}
            base, (network, program, answer) = value(None, 0)
            prices = whole_marginals(network, program, answer)
            for item, site in stock:
                place = network.items.index(item) * 3 + network.sites.codes.index(site)
                price = float(prices.at(np.array([place * network.calendar.buckets]))[0])
                right = value((item, site), 1)[0] - base
                left = base - value((item, site), -1)[0]
                # a unit that only costs its holding has no price: prices are never below 0
                assert max(right, 0.0) - 1e-6 <= price <= max(left, 0.0) + 1e-6, (item, site)
                places += 1
    assert places >= 20


@pytest.mark.long
@pytest.mark.parametrize("outlooks", [1, 3])
def test_bid_prices_of_a_made_up_network(outlooks: int, tmp_path: Path) -> None:
    """30 items by 8 stores: at 20 places drawn by chance the price is within 1 % of what a unit more brings, or between that and what a unit less costs."""
    tables = allocator.read(generate(30, 8, out=tmp_path / "made"))
    settings = tables.settings.model_copy(update={"outlooks": outlooks})
    network = build_network(tables.replace(settings=settings))
    lots = network.lots
    # a place's price is that of its lots which expire first: items whose lots keep have one price
    keeps = np.bincount(lots.item[lots.expiry != lots.expiry.max()], minlength=len(network.items)) == 0
    places = np.random.default_rng(5).choice(np.flatnonzero((lots.quantity >= 2) & keeps[lots.item]), 20, replace=False)

    def value(entry: int, by: float) -> tuple[float, Any]:
        quantity = lots.quantity.copy()
        quantity[entry] += by
        program = build_program(replace(network, lots=replace(lots, quantity=quantity)))
        problem = replace(as_problem(program), integer=np.zeros(len(program.cost), dtype=bool))
        answer = solver.solve(problem, Limits())
        return -answer.objective, (program, answer)

    matched = priced = 0
    with Solver() as solver:
        base, (program, answer) = value(int(places[0]), 0.0)
        prices = whole_marginals(network, program, answer)
        for entry in places.tolist():
            place = int(lots.item[entry]) * len(network.sites.codes) + int(lots.site[entry])
            price = float(prices.at(np.array([place * network.calendar.buckets + int(lots.bucket[entry])]))[0])
            more, less = value(entry, 1.0)[0] - base, base - value(entry, -1.0)[0]
            near = 0.01 * abs(price) + 1e-6
            assert max(more, 0.0) - near <= price <= max(less, 0.0) + near, (entry, more, price, less)
            matched += abs(price - more) <= near
            priced += price > 1e-6
    assert priced >= 10
    assert matched >= 10


def test_season_is_pushed_neither_all_nor_half() -> None:
    """With shipments on two days only, about 85 % go on day one; with daily ones, enough for the next days."""
    with Solver() as solver:
        for every, least, most in ((7, 0.7, 0.97), (1, 0.1, 0.45)):
            season = Season(outlooks=12, every=every)
            network = season.network(0, season.units, np.zeros(season.stores), seed=3)
            pushed = shipped_today(network, solver).sum() / season.units
            assert least < pushed < most


def test_daily_plans_lose_little_of_the_season() -> None:
    """Two seasons planned every day lose under 3 % of demand (pushing all loses 4.87 %)."""
    draw = np.random.default_rng(8)
    season = Season(outlooks=5)
    with Solver() as solver:
        lost = [
            play(
                season, draw.poisson(season.demand / season.days, (season.stores, season.days)).astype(float), solver, k
            )[0]
            for k in range(2)
        ]
    assert float(np.mean(lost)) <= 0.03


def test_committed_shipments_are_those_decided(tmp_path: Path) -> None:
    """What is published for the commit window is what was decided over the outlooks."""
    tables = allocator.read(write_case("plain", tmp_path, outlooks=4))
    plan = allocator.solve(tables)
    network = build_network(tables)
    with Solver() as solver:
        program = build_program(network)
        solution = solve_whole(network, program, solver, Limits())
    decided = read_decided(program, solution.x)
    assert plan.shipments.loc[plan.shipments["committed"], "quantity"].sum() == pytest.approx(decided.quantity.sum())


def test_priced_plans_are_hedged_too(tmp_path: Path) -> None:
    """The engine of items and prices plans over outlooks by the same blocks: audited, its bound below the whole engine's optimum."""
    tables = allocator.read(write_case("orders", tmp_path, outlooks=3))
    priced = allocator.solve(tables, engine="priced")
    whole = allocator.solve(tables, engine="whole")
    assert priced.audit is not None
    assert priced.audit.ok, priced.audit
    told, known = priced.certificate["outlooks"], whole.certificate["outlooks"]
    assert told["bound"] <= known["expected_objective"] + 1e-6
    assert told["expected_objective"] >= known["bound"] - 1e-6
    assert np.mean(told["objectives"]) == pytest.approx(told["expected_objective"])
    assert not priced.bookings.empty
    _check_split(priced)
    _check_bookings(priced)


@pytest.mark.parametrize("case", ["plain", "orders", "pull", "jit", "policies", "locks", "buckets"])
def test_holding_back_is_worth_the_same_from_prices(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no resource is tight both engines solve the same blocks at the same prices: every figure of every item is the same."""
    stay_in_process(monkeypatch)
    tables = allocator.read(write_case(case, tmp_path, outlooks=3))
    priced, whole = (allocator.solve(tables, engine=kind).hedge.set_index("item") for kind in ("priced", "whole"))
    pd.testing.assert_frame_equal(priced, whole, rtol=1e-6, atol=1e-6)
    assert len(priced) == 3
    assert case not in ("plain", "orders") or (priced["over_push"] > 1e-6).any() or (priced["over_pull"] > 1e-6).any()
    assert case != "jit" or (priced["lack_of_buffer"] > 1e-6).any()
