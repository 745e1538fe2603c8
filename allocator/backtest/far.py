"""What the next unit is worth over the rest of the season: a plan of two weeks can't tell that stock is short later."""

from __future__ import annotations

import numpy as np

from allocator.backtest.decision import Gate
from allocator.backtest.ground import WEEK, Ground
from allocator.engine.problem import Limits, SolverError
from allocator.engine.process import Solver
from allocator.engine.whole import as_problem
from allocator.network import build_network
from allocator.plan.tight import stock_values
from allocator.program.stack import build_program
from allocator.tables import Tables

FarPrices = dict[tuple[int, int], float]
"""(item, site) -> value of the next unit there, now or when goods come. [currency per unit]"""


def looks_farther(ground: Ground, day: int) -> bool:
    """Whether the season goes on behind the horizon of a plan of this day."""
    return ground.ends is not None and ground.ends - day > int(ground.tables.settings.horizon_days)


def is_fresh(gate: Gate, day: int) -> bool:
    """Whether the gate's floor was found less than a week ago."""
    return gate.looked >= 0 and day - gate.looked < WEEK


def far_prices(tables: Tables, solver: Solver, seconds: float) -> FarPrices:
    """Duals of the first stock balances in the linear program to the season's end, mean over its outlooks.

    Parameters
    ----------
    tables : Tables
        As seen with `allocator.backtest.view.Lens.far`.
    solver : Solver
    seconds : float
        Most wall clock. [s]

    Returns
    -------
    dict
        Sites that no goods can reach, and those where no unit is worth anything, have none; nobody has where the solver fails or the time is not enough.

    Notes
    -----
    Bid prices of network revenue management (Talluri, van Ryzin, The Theory and Practice of Revenue Management, 2004, section 3.3); the mean over outlooks is
    its randomised linear program. Shipments are not taken from here: in the long bucket goods that leave on its first day serve all demand of
    the season, so this program puts off what should leave now.
    """
    network = build_network(tables)
    program = build_program(network)
    try:
        answer = solver.solve(as_problem(program).relaxed, Limits(seconds=seconds))
    except SolverError:
        return {}
    if answer.row_dual is None:
        return {}
    key, value = stock_values(network, program, answer.row_dual)
    _, sites, buckets = network.size
    # keys are sorted: where goods come only tomorrow, tomorrow's price is the first
    place, first = np.unique(key // buckets, return_index=True)
    return {(int(i), int(s)): float(v) for i, s, v in zip(place // sites, place % sites, value[first], strict=True)}
