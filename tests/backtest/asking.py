"""Demand that a test states: who asks for what, on which day."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from allocator.backtest.demand import Lines, no_orders
from allocator.backtest.play import Path
from allocator.network import Network


def asking(network: Network, asked: Sequence[tuple[str, int, float]]) -> Path:
    """Lines of the network's first item: channel (``store``: at zone S, ``web``: at zone web), day and units, by day."""
    channel = np.array([network.channels.index(line[0]) for line in asked])
    zone = np.array([network.zones.index("S" if line[0] == "store" else "web") for line in asked])
    day, units = (np.array([line[k] for line in asked]) for k in (1, 2))
    return Path(Lines(np.zeros(len(asked), dtype=np.int64), channel, zone, day, units.astype(np.float64)), no_orders())
