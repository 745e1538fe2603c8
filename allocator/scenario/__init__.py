"""Scenarios: overlays on a base network, stacked by name. Start at `read`."""

from allocator.scenario.lookup import Chosen, choose, expand
from allocator.scenario.overlay import Overlay, read_overlay
from allocator.scenario.reading import read, read_chosen
from allocator.scenario.stacking import Stack

__all__ = ["Chosen", "Overlay", "Stack", "choose", "expand", "read", "read_chosen", "read_overlay"]
