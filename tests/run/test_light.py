"""What a process loads before it works: a second that every command pays is a second too many."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "modules", ["allocator.run", "allocator.priced.shard", "allocator.comparison", "allocator.backtest"]
)
def test_scipys_statistics_stay_out(modules: str) -> None:
    """Pyomo would load them as soon as scipy is there; Pyomo itself still finds scipy's matrices."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys, {modules}, scipy.sparse; from pyomo.common.dependencies import scipy, scipy_available as there; "
            "assert there and scipy.sparse.csr_matrix((1, 1)).shape == (1, 1); print('scipy.stats' in sys.modules)",
        ],
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "False", done.stderr
