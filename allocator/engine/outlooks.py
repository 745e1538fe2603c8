"""Plan against several outlooks: decide the commit window for all of them, then foresee the rest on the mean demand."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.engine.hedge import Drawn, Hedge, given, worse_status
from allocator.engine.holding import compare_holding
from allocator.engine.problem import Hint, Limits, SolverError
from allocator.engine.process import Progress, Solver
from allocator.engine.whole import NoPlanError, Solution, solve_whole
from allocator.network.network import Decided, Network
from allocator.program.outlooks import SHARED
from allocator.program.stack import Program, build_program
from allocator.program.stamp import VARIABLE_NAMES

FloatArray = NDArray[np.float64]

SHIP, SERVE = VARIABLE_NAMES.index("ship"), VARIABLE_NAMES.index("serve")
FIRST_SHARE = 0.7
"""Share of the time that goes to the outlooks; the rest to the mean demand."""


@dataclass(frozen=True)
class Hedged:
    """Both solves of a plan against several outlooks.

    Attributes
    ----------
    program, solution
        Over the outlooks.
    mean_network, mean_program, mean_solution
        On the mean demand, with the commit window's shipments given: what is published.
    hedge : Hedge
        What the published plan says of the outlooks.
    """

    program: Program
    solution: Solution
    mean_network: Network
    mean_program: Program
    mean_solution: Solution
    hedge: Hedge

    @property
    def status(self) -> str:
        """The status that says less."""
        return worse_status(self.solution.status, self.mean_solution.status)


def solve_outlooks(
    network: Network,
    program: Program,
    solver: Solver,
    limits: Limits,
    progress: Progress | None = None,
    stage: Callable[[str], None] | None = None,
    start: Hint | None = None,
) -> Hedged:
    """Solve over the outlooks, then on the mean demand with the commit window's shipments given.

    Parameters
    ----------
    network : Network
        With more than one outlook; ``program`` is its program.
    program, solver, limits, progress, stage, start
        As in :func:`allocator.engine.whole.solve_whole`.

    Returns
    -------
    Hedged

    Raises
    ------
    NoPlanError, SolverError
        As in :func:`allocator.engine.whole.solve_whole`.
    """
    end = time.monotonic() + limits.seconds

    def left() -> float:
        return max(end - time.monotonic(), 0.1) if math.isfinite(end) else math.inf

    share = replace(limits, seconds=FIRST_SHARE * limits.seconds)
    first = solve_whole(network, program, solver, share, progress, stage, start)
    decided = read_decided(program, first.x)
    for exact in (True, False):
        later = given(network, replace(decided, exact=exact))
        try:
            mean = build_program(later)
            second = solve_whole(later, mean, solver, replace(limits, seconds=left()), progress, stage)
        except (NoPlanError, SolverError, ArithmeticError):
            if not exact:
                raise
            continue
        if stage is not None:
            stage("holding back")
        hedge = Hedge(
            network=network,
            objective=first.objective,
            bound=first.bound,
            status=first.status,
            objectives=outlook_values(program, first.x),
            drawn=read_drawn(program, first.x),
            relaxed=not exact,
            holding=compare_holding(network, program, first, solver, left),
        )
        return Hedged(program, first, later, mean, second, hedge)
    raise AssertionError("one of the two solves returns or raises")


def read_decided(program: Program, x: FloatArray) -> Decided:
    """Shipments of the commit window in a point of a program over several outlooks."""
    columns = program.columns
    value = x[: len(columns.item)]
    mine = np.flatnonzero((columns.variable == SHIP) & (columns.outlook == SHARED) & (value > 1e-9))
    table = program.classes.expiry
    expiry = [int(table[item][cls]) for item, cls in zip(columns.item[mine], columns.cls[mine], strict=True)]
    return Decided(
        columns.item[mine],
        columns.first[mine],
        columns.bucket[mine],
        np.array(expiry, dtype=np.int64),
        value[mine],
    )


def read_drawn(program: Program, x: FloatArray) -> Drawn:
    """Shipments and admissions of every outlook."""
    columns = program.columns
    value = x[: len(columns.item)]
    serves = columns.variable == SERVE
    mine = np.flatnonzero((serves | (columns.variable == SHIP)) & (value > 1e-9))
    return Drawn(
        serves[mine], columns.item[mine], columns.first[mine], columns.bucket[mine], columns.outlook[mine], value[mine]
    )


def outlook_values(program: Program, x: FloatArray) -> FloatArray:
    """(K,) cost of each outlook in a point: what is decided for all, its own recourse, and the mean cost of shared resources. [currency]"""
    columns = program.columns
    own = len(columns.item)
    cost = program.cost * x
    count = int(columns.outlook.max(initial=0)) + 1
    alone = columns.outlook >= 0
    each = np.bincount(columns.outlook[alone], weights=cost[:own][alone], minlength=count) * count
    return np.asarray(each + cost[:own][~alone].sum() + cost[own:].sum())
