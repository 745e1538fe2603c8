"""What the next unit of each tight resource is worth, and what it is called, in the words of a plan's certificate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import Network
from allocator.plan.tight import KINDS, dearest_first, place, tight_limit
from allocator.priced.limits import SharedLimits
from allocator.program.stamp import LAW_NAMES

FloatArray = NDArray[np.float64]


def resource_worth(network: Network, limits: SharedLimits, price: FloatArray, use: FloatArray) -> list[dict[str, Any]]:
    """Shared limits with a price, dearest first, as :func:`allocator.plan.tight.resource_prices` gives them.

    Parameters
    ----------
    price, use : (R,) float
        On top of the base prices; what the plan uses.
    """
    # a minimum fill pays for every unit until its limit: what more of it costs is what is left of that
    fill = limits.law == LAW_NAMES.index("use_fill")
    worth = np.where(fill, np.maximum(-limits.base - price, 0.0) * (use <= limits.limit * (1 + 1e-9)), price)
    return dearest_first(
        [
            tight_limit(network, _law(limits, r), limits.key[r], float(worth[r]), float(use[r]), float(limits.limit[r]))
            for r in np.flatnonzero(worth > 1e-7 * max(1.0, float(worth.max(initial=0.0)))).tolist()
        ]
    )


def resource_names(network: Network, limits: SharedLimits, resources: NDArray[np.int64]) -> list[str]:
    """What resources (k,) of the limits are, in words: kind, where, day."""
    found = []
    for r in resources.tolist():
        law = _law(limits, r)
        where = [value for value in place(network, law, limits.key[r]).values() if value is not None]
        found.append(" ".join([KINDS[law][0], *where]))
    return found


def _law(limits: SharedLimits, resource: int) -> str:
    """Shared law that a use law is for."""
    return LAW_NAMES[int(limits.law[resource])].removeprefix("use_")
