"""What a policy decides on a day: what goes where until it plans again, and which orders it takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Shipments:
    """Shipments by item, lane and day number of the backtest. [units]"""

    item: IntArray
    lane: IntArray
    day: IntArray
    quantity: FloatArray

    def on(self, day: int) -> Shipments:
        """Those of a day."""
        mine = np.flatnonzero(self.day == day)
        return Shipments(self.item[mine], self.lane[mine], self.day[mine], self.quantity[mine])


@dataclass(frozen=True)
class Gate:
    """Who may book how much.

    Attributes
    ----------
    protected : dict
        (item, site, channel, day) -> units to keep for stronger channels and later days.
    price : dict
        (item, site, day) -> value of the next unit there. [currency per unit]
    floor : dict
        (item, site) -> value of the next unit there over the rest of the season, on any day: no bid price is lower. [currency per unit]
    looked : int
        Day on which the floor was found; -1 where there is none.
    open : bool
        No admission control: what the shelf holds may be booked by whoever comes first.
    """

    protected: dict[tuple[int, int, int, int], float] = field(default_factory=dict)
    price: dict[tuple[int, int, int], float] = field(default_factory=dict)
    floor: dict[tuple[int, int], float] = field(default_factory=dict)
    looked: int = -1
    open: bool = False

    def kept(self, item: int, site: int, channel: int, day: int) -> float:
        """Units that the channel leaves alone at a site; none where no demand was foreseen of it: there the price alone decides."""
        return self.protected.get((item, site, channel, day), 0.0)

    def pays(self, item: int, site: int, day: int, worth: float) -> bool:
        """Whether a unit served is worth as much as the next unit there."""
        price = max(self.price.get((item, site, day), 0.0), self.floor.get((item, site), 0.0))
        return worth >= price - 1e-6 * max(1.0, abs(price))


OPEN = Gate(open=True)


@dataclass(frozen=True)
class Decision:
    """Shipments and admissions until the next plan; ``late`` where the solver had no plan in its time and the rules engine's stands in."""

    shipments: Shipments
    gate: Gate
    late: bool = False

    def floored(self, floor: dict[tuple[int, int], float], looked: int) -> Decision:
        """The same with a floor of its bid prices."""
        return replace(self, gate=replace(self.gate, floor=floor, looked=looked))


_NONE = np.empty(0, dtype=np.int64)
IDLE = Decision(Shipments(_NONE, _NONE, _NONE, np.empty(0)), OPEN)
"""Nothing leaves, and nobody books."""
