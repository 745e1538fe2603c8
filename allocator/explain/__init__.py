"""Why a site got this much of an item."""

from allocator.explain.explaining import explain, explain_many
from allocator.explain.explanation import Explanation
from allocator.explain.names import UnknownCode

__all__ = ["Explanation", "UnknownCode", "explain", "explain_many"]
