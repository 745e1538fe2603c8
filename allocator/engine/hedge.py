"""What a solve over several outlooks hands on to the plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.engine.holding import Holding
from allocator.engine.problem import relative_gap
from allocator.network.network import Decided, Network

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

STATUSES = ("optimal", "accepted", "open", "deadline")
"""From the one that says most to the one that says least."""


@dataclass(frozen=True)
class Drawn:
    """Positive flows of all outlooks, classes apart or added up.

    Attributes
    ----------
    serves : (n,) bool
        An admission (``way`` is a service arc), else a shipment (``way`` is a lane).
    item, way, bucket : (n,) int
    outlook : (n,) int
        -1 for what is decided for all.
    quantity : (n,) float
        [units]
    """

    serves: BoolArray
    item: IntArray
    way: IntArray
    bucket: IntArray
    outlook: IntArray
    quantity: FloatArray


@dataclass(frozen=True)
class Hedge:
    """A plan over several outlooks, as far as the published plan speaks of it.

    Attributes
    ----------
    network : Network
        With its outlooks.
    objective, bound : float
        Expected cost, and what no plan costs less than. [currency]
    status : str
    objectives : (K,) float
        Cost of each outlook. [currency]
    drawn : Drawn
    relaxed : bool
        The mean demand could not take the committed shipments as they were (jit and pull lanes): some carry less.
    holding : Holding or None
        What holding back is worth, where it was worked out.
    multipliers : dict or None
        What proves ``bound`` again, of a plan from prices (:mod:`allocator.priced.proof`).
    """

    network: Network
    objective: float
    bound: float
    status: str
    objectives: FloatArray
    drawn: Drawn
    relaxed: bool = False
    holding: Holding | None = None
    multipliers: dict[str, object] | None = None

    @property
    def facts(self) -> dict[str, object]:
        """As it stands in ``certificate.json``."""
        outlooks = self.network.outlooks
        proof: dict[str, object] = {} if self.multipliers is None else {"multipliers": self.multipliers}
        return proof | {
            "count": outlooks.count,
            "seed": outlooks.seed,
            "common_factor": outlooks.common_factor,
            "expected_objective": self.objective,
            "bound": self.bound,
            "gap": relative_gap(self.objective, self.bound),
            "status": self.status,
            "objectives": [float(value) for value in self.objectives],
            "relaxed": self.relaxed,
        }


def worse_status(one: str, two: str) -> str:
    """The status that says less."""
    return max(one, two, key=STATUSES.index)


def given(network: Network, decided: Decided) -> Network:
    """The network on its mean demand, the commit window's shipments given."""
    return replace(network, outlooks=replace(network.outlooks, count=1), decided=decided)
