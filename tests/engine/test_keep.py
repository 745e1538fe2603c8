"""Whole units kept from a like plan: only what no longer fits is settled anew."""

from __future__ import annotations

import numpy as np
import pytest

import allocator
from allocator.engine import whole
from allocator.engine.keep import broken_items
from allocator.engine.problem import Hint, Limits
from allocator.engine.process import Solver
from allocator.engine.snap import Quanta
from allocator.engine.start import Start
from allocator.engine.whole import as_problem, solve_whole
from allocator.generate import generate
from allocator.network import build_network
from allocator.program.stack import build_program
from allocator.tables.tables import Tables

LIMITS = Limits(gap=0.005, accept=0.005, basis=True)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """A made-up network, every item in whole units, with an item that has more than others to give."""
    folder = tmp_path_factory.mktemp("keep")
    generate(items=12, stores=5, days=6, channels=2, dcs=1, seed=3, tight=0.3, out=folder)
    tables = allocator.read(folder)
    return tables.replace(items=tables.frame("items").assign(quantum=1.0))


def solved(tables: Tables, start: Start | None = None) -> tuple[Quanta, Start, whole.Solution]:
    """A network, solved from a start or from nothing."""
    network = build_network(tables)
    program = build_program(network)
    hint = None if start is None else start.hint(network, program)
    with Solver() as solver:
        found = solve_whole(network, program, solver, LIMITS, start=hint)
    return Quanta.of(network, program), Start.of(network, program, found.x, found.basis), found


@pytest.fixture(scope="module")
def base(tables: Tables) -> tuple[Quanta, Start, whole.Solution]:
    """The network as it is."""
    return solved(tables)


def with_more_stock(tables: Tables, lot: int, units: float) -> Tables:
    """One lot larger."""
    lots = tables.frame("lots")
    return tables.replace(
        lots=lots.assign(quantity=lots["quantity"] + np.where(np.arange(len(lots)) == lot, units, 0.0))
    )


def test_one_larger_lot_leaves_other_items_their_units(
    tables: Tables, base: tuple[Quanta, Start, whole.Solution], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is settled by the search over all items; where packs stay, other items keep every unit; value and bound agree with a solve from nothing."""
    monkeypatch.setattr(whole, "snap", lambda *_: pytest.fail("the units of all items were settled anew"))
    changed = with_more_stock(tables, 0, 3.0)
    quanta, _, found = solved(changed, base[1])
    monkeypatch.undo()
    _, _, cold = solved(changed)
    assert found.objective >= cold.bound - 1e-6 * abs(cold.bound)
    assert cold.objective >= found.bound - 1e-6 * abs(found.bound)
    assert found.status == "optimal"
    units = found.x[quanta.decision] / quanta.step[quanta.decision]
    np.testing.assert_allclose(units, np.round(units), atol=1e-6)
    before = base[2].x
    differs = np.unique(quanta.item[quanta.decision & (np.abs(found.x - before) > 0.5)])
    assert len(differs) < len(np.unique(quanta.item[quanta.decision])) / 2


def test_items_that_a_change_breaks_are_named(tables: Tables, base: tuple[Quanta, Start, whole.Solution]) -> None:
    """The item of a lot that changed, and no other; none where nothing changed."""
    lots = tables.frame("lots")
    _, start, _ = base
    for lot in (None, 0, len(lots) // 2):
        network = build_network(tables if lot is None else with_more_stock(tables, lot, 2.0))
        program = build_program(network)
        hint = start.hint(network, program)
        assert isinstance(hint, Hint)
        assert hint.x is not None
        broken = broken_items(Quanta.of(network, program), as_problem(program), hint.x)
        named = [network.items[item] for item in broken]
        usable = lot is not None and lots["status"][lot] == "available"
        assert named == ([lots["item"][lot]] if usable else [])


def test_a_start_that_costs_too_much_is_let_go(tables: Tables, base: tuple[Quanta, Start, whole.Solution]) -> None:
    """Units of a plan that sold nothing are no units to keep: the answer is that of a solve from nothing."""
    _, start, found = base
    nothing = Start(start.network, start.columns, start.rows, np.zeros_like(start.x), start.basis)
    _, _, again = solved(tables, nothing)
    assert again.objective == pytest.approx(found.objective, rel=LIMITS.gap)
    assert again.status == "optimal"
