"""Real lots for planned moves, by FEFO, FIFO or LIFO."""

from allocator.lots.assign import assign
from allocator.lots.fallback import assign_two_ways, assign_with_fallback
from allocator.lots.records import NEVER, Assignment, Closing, LotStock, Moves, Pieces, Reason, Rule, Waste

__all__ = [
    "NEVER",
    "Assignment",
    "Closing",
    "LotStock",
    "Moves",
    "Pieces",
    "Reason",
    "Rule",
    "Waste",
    "assign",
    "assign_two_ways",
    "assign_with_fallback",
]
