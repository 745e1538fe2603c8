"""What holding back is worth, item by item, from prices: an item's own program four ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine.holding import WAYS, Changes, changes
from allocator.engine.hot import DUAL, PRIMAL, Hot
from allocator.network.network import Network
from allocator.network.prices import Prices
from allocator.priced.blocks import Block
from allocator.priced.item import load, price_item

FloatArray = NDArray[np.float64]


def hold_item(hot: Hot, block: Block, price: FloatArray, basis: Any, network: Network, prices: Prices) -> FloatArray:
    """Cost of an item's block each way, its linear program with the shared resources at ``price``.

    Parameters
    ----------
    hot, block, price, basis
        As in :func:`allocator.priced.item.price_item`.
    network : Network
    prices : Prices
        Of the network.

    Returns
    -------
    (4,) float
        In the order of :class:`allocator.engine.holding.Holding`; NaN for a way that the item can't go. [currency]
    """
    cost, plan = block.charged(price), price_item(hot, block, price, basis)
    found = np.full(WAYS, float(cost @ plan.x))
    if not block.rows:
        return found
    item, variable, first, bucket = (
        np.full(block.columns, block.item),
        *(values.astype(np.int64) for values in (block.variable, block.first, block.bucket)),
    )
    change = changes(
        network, prices, (item, variable, first, bucket), (block.lower, block.upper), block.row_law.astype(np.int64)
    )
    for way, (other, charged, strategy) in _ways(block, cost, change).items():
        load(hot, other, charged)
        hot.start(plan.basis)
        found[way] = float(cost @ hot.point()[: block.columns]) if hot.run(strategy) else np.nan
    return found


def _ways(block: Block, cost: FloatArray, change: Changes) -> dict[int, tuple[Block, FloatArray, int]]:
    """Those that differ from the plan: the block, its costs, and how the simplex begins: where the point, or where the prices, still hold."""
    found = {}
    if change.held.any():
        found[1] = (block, cost + change.held, PRIMAL)
    if (change.unpushed < block.upper).any():
        found[2] = (replace(block, upper=change.unpushed), cost, DUAL)
    if change.jit.any():
        found[3] = (replace(block, row_upper=np.where(change.jit, np.inf, block.row_upper)), cost, PRIMAL)
    return found
