"""Plan against several outlooks from prices: the commit window over all of them, then the rest on the mean demand."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from allocator.engine.hedge import Hedge, given
from allocator.engine.problem import SolverError
from allocator.network.network import Decided, Network
from allocator.options import Watch
from allocator.plan.tight import Marginals
from allocator.priced.engine import PricedPlan, Setting, solve_priced

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FIRST_SHARE = 0.7
"""Share of the time that goes to the outlooks; the rest to the mean demand."""


def solve_priced_outlooks(
    network: Network, setting: Setting, watch: Watch | None = None
) -> tuple[PricedPlan, Network, Hedge | None]:
    """Solve over the outlooks, then on the mean demand with the commit window's shipments given.

    Parameters
    ----------
    network : Network
        With more than one outlook.
    setting, watch
        As in :func:`allocator.priced.engine.solve_priced`.

    Returns
    -------
    PricedPlan
        On the mean demand; stock is valued over the outlooks. Without quantities when the time was up.
    Network
        The network that it is a plan of.
    Hedge or None
        What it says of the outlooks; None without quantities.

    Raises
    ------
    SolverError
        As in :func:`allocator.priced.engine.solve_priced`.
    """
    now = time.monotonic()
    share = setting.until if math.isinf(setting.until) else now + FIRST_SHARE * (setting.until - now)
    first = solve_priced(network, _apart(replace(setting, until=share), "outlooks"), watch)
    if first.quantities is None or first.drawn is None:
        return first, network, None
    ships = first.quantities.shipments
    mine = np.flatnonzero(ships.bucket < network.calendar.committed)
    decided = Decided(
        ships.item[mine], ships.way[mine], ships.bucket[mine], ships.expiry[mine], _whole(network, first, mine)
    )
    for exact in (True, False):
        later = given(network, replace(decided, exact=exact))
        try:
            second = solve_priced(later, _apart(setting, "mean"), watch)
        except SolverError:
            if not exact:
                raise
            continue
        break
    hedge = Hedge(
        network=network,
        objective=first.cost,
        bound=first.bound,
        status=first.status,
        objectives=first.objectives,
        drawn=first.drawn,
        relaxed=not exact,
        holding=first.holding,
        multipliers=first.proof,
    )
    worth = Marginals(second.marginals.resources, first.marginals.bid_key, first.marginals.bid_value)
    return replace(second, marginals=worth), later, hedge


def _whole(network: Network, first: PricedPlan, mine: IntArray) -> FloatArray:
    """Committed quantities on their quanta: what is off by the solver's tolerance."""
    assert first.quantities is not None
    ships = first.quantities.shipments
    quantity, quantum = ships.quantity[mine], network.quantum[ships.item[mine]]
    step = np.where(quantum > 0, quantum, 1.0)
    return np.asarray(np.where(quantum > 0, np.round(quantity / step) * step, quantity))


def _apart(setting: Setting, stage: str) -> Setting:
    """Each stage keeps its own checkpoint."""
    if setting.checkpoint is None:
        return setting
    return replace(setting, checkpoint=setting.checkpoint / stage, plan_id=f"{setting.plan_id}-{stage}")
