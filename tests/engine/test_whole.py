"""The whole engine: fractional points become whole units within every limit, and what is claimed is proven."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from allocator.engine import whole
from allocator.engine.problem import Limits, SolverError
from allocator.engine.process import Solver
from allocator.engine.snap import Quanta
from allocator.engine.whole import NoPlanError, Solution, as_problem, solve_whole
from allocator.network import Network, build_network
from allocator.program.stack import Program, build_program
from allocator.tables import read_tables
from tests.program.networks import CASES, write_case

EXACT = Limits(gap=1e-6, accept=1e-6)


def violation(program: Program, x: np.ndarray) -> float:
    """Largest violation of a row or a bound."""
    matrix = sp.csr_matrix((program.values, program.indices, program.indptr), shape=(len(program.row_lower), len(x)))
    activity = matrix @ x
    rows = np.maximum(program.row_lower - activity, activity - program.row_upper)
    columns = np.maximum(program.lower - x, x - program.upper)
    return float(max(rows.max(initial=0.0), columns.max(initial=0.0)))


def solve(folder: Path, solver: Solver) -> tuple[Network, Program, Solution]:
    """Read, build and solve."""
    network = build_network(read_tables(folder))
    program = build_program(network)
    return network, program, solve_whole(network, program, solver, EXACT)


@pytest.mark.parametrize("case", CASES)
def test_solutions_are_whole_feasible_and_proven(case: str, tmp_path: Path, solver: Solver) -> None:
    """Every small network: whole quanta, whole packs and vehicles, no broken row, and a bound not above the cost."""
    network, program, solution = solve(write_case(case, tmp_path), solver)
    quanta = Quanta.of(network, program)
    parts = solution.x[quanta.flow] / quanta.step[quanta.flow]
    assert np.abs(parts - np.round(parts)).max() <= 1e-9
    whole = solution.x[program.integer]
    assert np.abs(whole - np.round(whole)).max(initial=0.0) <= 1e-9
    assert violation(program, solution.x) <= 1e-5
    assert solution.objective == pytest.approx(float(program.cost @ solution.x), rel=1e-9)
    assert solution.bound <= solution.objective
    gap = (solution.objective - solution.bound) / max(abs(solution.objective), 1.0)
    assert (solution.status == "optimal") == (gap <= 1e-6 * (1 + 1e-9))
    assert solution.status in ("optimal", "accepted", "open")


FRACTIONAL = {
    "network.toml": 'name = "tight"\ncurrency = "EUR"\nstart = 2026-03-02\nhorizon_days = 1\ncommit_days = 1\n',
    "items.csv": "item,quantum,unit_volume\nbig,1,0.3\nsmall,1,0.07\n",
    "sites.csv": "site,kind\nDC,dc\nS,store\n",
    "lanes.csv": "origin,destination,lead_time_days,daily_volume\nDC,S,0,1\n",
    "channels.csv": "channel\nwalk\n",
    "fulfilment.csv": "site,channel,zone\nS,walk,S\n",
    "prices.csv": "item,channel,margin\nbig,walk,30\nsmall,walk,6.5\n",
    "forecasts.csv": "item,channel,zone,date,mean\nbig,walk,S,2026-03-02,9\nsmall,walk,S,2026-03-02,9\n",
    "lots.csv": "lot,item,site,quantity,received_date\nB,big,DC,99,2026-01-01\nM,small,DC,99,2026-01-01\n",
}


def test_a_lane_limited_by_volume_ships_whole_units(tmp_path: Path, solver: Solver) -> None:
    """A lane of 1 m3: the linear optimum ships 3.33 big ones (100); 2 big and 5 small use 0.95 m3, and 92.5 is the best in whole units.

    3 big and 1 small earn 96.5 in 0.97 m3, which bare rounding of 3.33 would miss.
    """
    for name, text in FRACTIONAL.items():
        (tmp_path / name).write_text(text)
    _, program, solution = solve(tmp_path, solver)
    best = max(
        30 * big + 6.5 * small for big in range(10) for small in range(10) if 0.3 * big + 0.07 * small <= 1 + 1e-12
    )
    assert best == 96.5
    linear = solver.solve(as_problem(program), Limits())
    assert linear.objective == pytest.approx(-100.0, abs=0.1)  # 1e-4 of tie-break
    assert solution.objective == pytest.approx(-best, abs=0.01)
    assert solution.bound == pytest.approx(-best, abs=0.01)
    assert solution.status == "optimal"
    assert violation(program, solution.x) <= 1e-6


def test_a_solver_that_fails_is_asked_once_more_without_presolve(tmp_path: Path, solver: Solver) -> None:
    """The first failure is retried without presolve; the second is the engine's failure."""
    network = build_network(read_tables(write_case("plain", tmp_path)))
    program = build_program(network)
    asked: list[bool] = []

    class Failing(Solver):
        def __init__(self, failures: int) -> None:
            self.failures = failures

        def solve(self, problem, limits, progress=None):  # type: ignore[no-untyped-def]
            asked.append(limits.presolve)
            if len(asked) <= self.failures:
                raise SolverError("made to fail")
            return solver.solve(problem, limits, progress)

    found = solve_whole(network, program, Failing(1), EXACT)
    assert asked[:2] == [True, False]
    assert found.status == "optimal"
    asked.clear()
    with pytest.raises(SolverError, match="made to fail"):
        solve_whole(network, program, Failing(2), EXACT)


def test_time_that_runs_out_over_whole_units_is_no_failure(
    tmp_path: Path, solver: Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where units could not be made whole in time there is no plan, as where HiGHS found none; with time left it is the engine's failure."""
    network = build_network(read_tables(write_case("plain", tmp_path)))
    program = build_program(network)

    def slow(quanta: object, problem: object, x: object, solver: object, left: Callable[[], float]) -> None:
        while whole.LAST < left() < math.inf:
            time.sleep(0.02)
        raise SolverError("no whole-unit plan")

    monkeypatch.setattr(whole, "snap", slow)
    with pytest.raises(NoPlanError) as late:
        solve_whole(network, program, solver, replace(EXACT, seconds=1.0))
    assert math.isfinite(late.value.bound)
    with pytest.raises(SolverError, match="no whole-unit plan"):
        solve_whole(network, program, solver, EXACT)


def test_the_same_network_gives_the_same_bytes(tmp_path: Path, solver: Solver) -> None:
    """Two solves of one network end in the same point, bit for bit."""
    folder = write_case("packs", tmp_path)
    first, second = solve(folder, solver)[2], solve(folder, solver)[2]
    assert first.x.tobytes() == second.x.tobytes()
    assert first.row_dual.tobytes() == second.row_dual.tobytes()
