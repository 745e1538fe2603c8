"""Plans side by side: what is not yet run is run, the rest is reused. Start at `compare`.

The package is not called `compare`, so that `allocator.compare` can be the function.
"""

import allocator.light  # noqa: F401
from allocator.comparison.comparing import compare
from allocator.comparison.comparison import Comparison

__all__ = ["Comparison", "compare"]
