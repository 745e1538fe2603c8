"""The network as coded arrays: what the model, the rules engine and the lots work on."""

import allocator.light  # noqa: F401
from allocator.network.build import build_network
from allocator.network.network import METHODS, NEVER, Claims, Demand, Lanes, LotEntries, Network, Policies, Sites

__all__ = [
    "METHODS",
    "NEVER",
    "Claims",
    "Demand",
    "Lanes",
    "LotEntries",
    "Network",
    "Policies",
    "Sites",
    "build_network",
]
