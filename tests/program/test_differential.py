"""Compile-and-stamp against plain Pyomo: the same matrix, the same optimum."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from allocator.engine.problem import Limits
from allocator.engine.process import Solver
from allocator.engine.whole import as_problem
from allocator.network import Network, build_network
from allocator.network.prices import build_prices
from allocator.program.classes import build_classes
from allocator.program.data import build_items
from allocator.program.stack import build_program
from allocator.program.structure import build_structure
from allocator.program.template import AT_LEAST, compile_block
from allocator.tables import read_tables
from allocator_models.block import LAWS, VARIABLES
from tests.program.networks import CASES, write_case
from tests.program.plain import one_block, solve_plain


@pytest.fixture(scope="module")
def solver() -> Any:
    """One HiGHS process for all cases."""
    with Solver() as process:
        yield process


def _network(case: str, folder: Path, outlooks: int = 1) -> Network:
    return build_network(read_tables(write_case(case, folder, outlooks)))


@pytest.mark.parametrize("case", CASES)
def test_stamped_matrix_is_the_plain_matrix(case: str, tmp_path: Path) -> None:
    """Every coefficient, right-hand side and cost that stamping computes is the one plain Pyomo computes."""
    network = _network(case, tmp_path)
    prices, classes = build_prices(network), build_classes(network)
    for size, items in classes.groups.items():
        structure = build_structure(network, size)
        data = build_items(network, structure, classes, prices, items)
        template = compile_block(structure)
        symbols = template.flatten(data.data)
        values, rhs = template.coefficients.at(symbols), template.rhs.at(symbols)
        cost = template.cost.at(symbols)
        row_of = np.repeat(np.arange(len(template.law)), np.diff(template.indptr))
        for row in range(len(items)):
            plain = _plain_entries(one_block(structure, data, row))
            # a >= row with a symbol on its right is compiled as its negative <= row: compare both as <=
            turn = np.where(template.sense == AT_LEAST, -1.0, 1.0)
            stamped = {
                (int(template.law[r]), int(template.place[r]), int(template.variable[c]), int(template.position[c])): v
                * turn[r]
                for r, c, v in zip(row_of, template.indices, values[row], strict=True)
                if v != 0 and not list(LAWS.values())[template.law[r]].use
            }
            assert stamped.keys() == plain["matrix"].keys()
            for key, value in plain["matrix"].items():
                assert stamped[key] == pytest.approx(value, rel=1e-12, abs=1e-12)
            for k, (law, place) in enumerate(zip(template.law, template.place, strict=True)):
                if (int(law), int(place)) in plain["rhs"]:
                    assert turn[k] * rhs[row, k] == pytest.approx(
                        plain["rhs"][int(law), int(place)], rel=1e-12, abs=1e-12
                    )
            for k, (variable, position) in enumerate(zip(template.variable, template.position, strict=True)):
                expected = plain["cost"].get((int(variable), int(position)), 0.0)
                assert cost[row, k] == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_stamped_optimum_is_the_plain_optimum(case: str, tmp_path: Path, solver: Solver) -> None:
    """The stacked program and the plain model solved through Pyomo's HiGHS interface have one optimum."""
    network = _network(case, tmp_path)
    answer = solver.solve(as_problem(build_program(network)), Limits(gap=1e-9, accept=1e-9))
    assert answer.objective == pytest.approx(solve_plain(network), rel=1e-7, abs=1e-6)


@pytest.mark.parametrize("outlooks", [2, 3])
@pytest.mark.parametrize("case", CASES)
def test_spread_optimum_is_the_plain_optimum(case: str, outlooks: int, tmp_path: Path, solver: Solver) -> None:
    """A template spread over outlooks, and one Pyomo block an outlook with its decisions tied, have one optimum."""
    network = _network(case, tmp_path, outlooks)
    program = build_program(network)
    assert (program.columns.outlook == -1).any()
    assert (program.columns.outlook == outlooks - 1).any()
    answer = solver.solve(as_problem(program), Limits(gap=1e-9, accept=1e-9))
    assert answer.objective == pytest.approx(solve_plain(network), rel=1e-7, abs=1e-6)


def _plain_entries(block: Any) -> dict[str, dict[Any, float]]:
    """Matrix, right-hand sides and costs of a numeric block, keyed by law and variable."""
    variables = {
        id(entry): (number, position)
        for number, name in enumerate(VARIABLES)
        for position, entry in enumerate(getattr(block, name).values())
    }
    laws: dict[int, tuple[int, int]] = {}
    for number, (name, law) in enumerate(LAWS.items()):
        constraint = getattr(block, f"law_{name}")
        if law.use:
            continue
        for position, key in enumerate(law.indices(block.structure)):
            member = key[0] if len(key) == 1 else key
            if member in constraint:
                laws[id(constraint[member])] = (number, position)
    form = LinearStandardFormCompiler().write(block, mixed_form=True)
    matrix = form.A.tocoo()
    turn = [-1.0 if row.bound_type == AT_LEAST else 1.0 for row in form.rows]
    found: dict[Any, float] = {}
    for r, c, v in zip(matrix.row, matrix.col, matrix.data, strict=True):
        found[(*laws[id(form.rows[r].constraint)], *variables[id(form.columns[c])])] = float(v) * turn[r]
    rhs = {laws[id(row.constraint)]: float(b) * t for row, b, t in zip(form.rows, form.rhs, turn, strict=True)}
    dense = np.asarray(form.c.todense()).ravel()
    costs = {variables[id(column)]: float(v) for column, v in zip(form.columns, dense, strict=True)}
    return {"matrix": found, "rhs": rhs, "cost": costs}
