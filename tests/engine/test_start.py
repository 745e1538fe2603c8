"""What a solved network leaves to others: kept whole, matched by what columns and rows are, never more than a beginning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import allocator
from allocator.engine.problem import Basis, Hint, Limits
from allocator.engine.process import Solver
from allocator.engine.start import Start, read_start, write_start
from allocator.engine.whole import as_problem, solve_whole
from allocator.generate import generate
from allocator.network import Network, build_network
from allocator.program.stack import Program, build_program
from allocator.tables.tables import Tables
from tests.program.networks import CASES, write_case

GAP = 1e-4
CLOSE = Limits(gap=GAP, accept=GAP)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """A made-up network with packs."""
    folder = tmp_path_factory.mktemp("start")
    generate(items=10, stores=5, days=6, channels=2, dcs=1, seed=3, tight=0.3, out=folder)
    return allocator.read(folder)


Solved = tuple[Network, Program, Start, int]


@pytest.fixture(scope="module")
def base(tables: Tables) -> Solved:
    """The network, its program, what its solution leaves, and the iterations that took."""
    network = build_network(tables)
    program = build_program(network)
    with Solver() as solver:
        found = solve_whole(network, program, solver, CLOSE)
    return network, program, Start.of(network, program, found.x, found.basis), found.iterations


def test_kept_start_is_read_back(base: Solved, tmp_path: Path) -> None:
    """Arrays, basis and prices are the same after a file; what can't be read is none."""
    start = replace(base[2], prices={"storage DC1 2026-01-05": 1.5})
    write_start(start, tmp_path / "a.npz")
    back = read_start(tmp_path / "a.npz")
    assert back is not None
    assert (back.network, back.prices) == (start.network, start.prices)
    assert back.basis is not None
    assert start.basis is not None
    for mine, theirs in (
        (start.columns, back.columns),
        (start.rows, back.rows),
        (start.x, back.x),
        (start.basis.columns, back.basis.columns),
        (start.basis.rows, back.basis.rows),
    ):
        np.testing.assert_array_equal(mine, theirs)
    assert read_start(tmp_path / "none.npz") is None
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-400])
    assert read_start(tmp_path / "a.npz") is None


def test_same_program_takes_it_all(base: Solved) -> None:
    """On the program it came from nothing is lost."""
    network, program, start, _ = base
    hint = start.hint(network, program)
    assert hint is not None
    assert hint.basis is not None
    assert start.basis is not None
    np.testing.assert_array_equal(hint.x, start.x)
    np.testing.assert_array_equal(hint.basis.columns, start.basis.columns)
    np.testing.assert_array_equal(hint.basis.rows, start.basis.rows)


def test_changed_network_is_solved_as_well_with_less(tables: Tables, base: Solved, solver: Solver) -> None:
    """One margin up by a fifth: the same answer within the gap, and fewer iterations than from nothing."""
    prices = tables.frame("prices")
    prices.loc[prices.index[0], "margin"] *= 1.2
    network = build_network(tables.replace(prices=prices))
    program = build_program(network)
    hint = base[2].hint(network, program)
    assert hint is not None
    warm, cold = (solve_whole(network, program, solver, CLOSE, start=start) for start in (hint, None))
    assert warm.objective == pytest.approx(cold.objective, rel=2 * GAP)
    assert warm.bound <= min(warm.objective, cold.objective) + 1e-9
    assert warm.iterations < 0.8 * cold.iterations


def test_columns_that_are_new_or_gone_are_matched_around(tables: Tables, base: Solved, solver: Solver) -> None:
    """With a lane's daily volume limited there are more rows and columns; what is there in both is found again."""
    lanes = tables.frame("lanes")
    lanes.loc[lanes.index[1], "daily_volume"] = 0.5
    network = build_network(tables.replace(lanes=lanes))
    program = build_program(network)
    assert program.shape != base[1].shape
    hint = base[2].hint(network, program)
    assert hint is not None
    assert hint.x is not None
    assert hint.x.sum() == pytest.approx(base[2].x.sum(), rel=0.05)
    warm, cold = (solve_whole(network, program, solver, CLOSE, start=start) for start in (hint, None))
    assert warm.objective == pytest.approx(cold.objective, rel=2 * GAP)


def test_other_codes_are_solved_from_nothing(tables: Tables, base: Solved) -> None:
    """Where numbers stand for other items, nothing is matched."""
    items = tables.frame("items").iloc[:-1]
    gone = set(tables.frame("items")["item"]) - set(items["item"])
    kept = {
        name: frame[~frame["item"].isin(gone)]
        for name in ("forecasts", "prices", "lots", "receipts", "stock_policies", "item_lanes")
        if "item" in (frame := tables.frame(name))
    }
    network = build_network(tables.replace(items=items, **kept))
    assert base[2].hint(network, build_program(network)) is None


@pytest.mark.parametrize("case", CASES)
def test_nonsense_costs_nothing_but_time(case: str, tmp_path: Path, solver: Solver) -> None:
    """A point and a basis that mean nothing, or do not fit, leave the answer as it is."""
    network = build_network(allocator.read(write_case(case, tmp_path)))
    program = build_program(network)
    rows, columns, _ = program.shape
    draw = np.random.default_rng(1)
    exact = Limits(gap=1e-6, accept=1e-6)
    found = solve_whole(network, program, solver, exact)
    for n, m in ((columns, rows), (columns - 1, rows)):
        basis = Basis(draw.integers(0, 3, n).astype(np.int8), draw.integers(0, 3, m).astype(np.int8))
        again = solve_whole(network, program, solver, exact, start=Hint(draw.random(columns) * 5, basis))
        assert again.objective == pytest.approx(found.objective, rel=2e-6, abs=1e-6)


def test_basis_is_given_when_asked_for(base: Solved, solver: Solver) -> None:
    """A linear program tells its basis on request only, and from there it is solved again without an iteration."""
    problem = as_problem(base[1])
    relaxed = replace(problem, integer=np.zeros_like(problem.integer))
    assert solver.solve(relaxed, Limits()).basis is None
    answer = solver.solve(relaxed, Limits(basis=True))
    again = solver.solve(relaxed, Limits(), hint=Hint(basis=answer.basis))
    assert again.objective == pytest.approx(answer.objective)
    assert again.iterations <= 0.02 * answer.iterations


def test_prices_begin_where_the_other_network_ended(tables: Tables, tmp_path: Path) -> None:
    """The priced engine leaves its prices; with them the same network asks no more rounds, and proves as much."""
    options = {"engine": "priced", "workers": 1, "gap": 0.005}
    first = allocator.solve(tables, **options, leave=tmp_path / "left.npz")
    second = allocator.solve(tables, **options, start=tmp_path / "left.npz")
    assert first.certificate["multipliers"]["prices"]
    rounds = [plan.manifest["solver"]["rounds"] for plan in (first, second)]
    assert rounds[1] <= rounds[0]
    assert second.certificate["bound"] >= first.certificate["bound"] - 0.001 * abs(first.certificate["bound"])
    assert second.manifest["plan_id"] != first.manifest["plan_id"]
