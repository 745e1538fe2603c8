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


def test_a_worker_loads_no_tables() -> None:
    """A worker of the priced engine is given a network: pandas and the settings' rules would cost each of them most of its start."""
    worker = "import sys, allocator.priced.desk, allocator.priced.shard, allocator.engine.hot"
    done = subprocess.run(
        [sys.executable, "-c", f"{worker}; print([name for name in ('pandas', 'pydantic') if name in sys.modules])"],
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "[]", done.stderr
    used = subprocess.run(
        [
            sys.executable,
            "-c",
            "import allocator.tables as t, allocator.network as n; print([hasattr(m, k) for m in (t, n) for k in m.__all__])",
        ],
        capture_output=True,
        text=True,
    )
    assert "False" not in used.stdout, used.stdout
    assert "True" in used.stdout, used.stderr
