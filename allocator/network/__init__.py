"""The network as coded arrays: what the model, the rules engine and the lots work on."""

from typing import TYPE_CHECKING, Any

import allocator.light  # noqa: F401
from allocator.network.network import METHODS, NEVER, Claims, Demand, Lanes, LotEntries, Network, Policies, Sites

if TYPE_CHECKING:
    from allocator.network.build import build_network

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


def __getattr__(name: str) -> Any:
    """Load what reads tables only for those who build a network: workers are given one, and start in half of the time without pandas."""
    if name == "build_network":
        from allocator.network.build import build_network

        return build_network
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
