"""A process that plans again and again keeps its size."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

import allocator
from allocator.memory import give_back
from tests.program.networks import write_case

LEAK = 50 << 20
"""Growth over a hundred plans. [bytes]"""


def resident() -> int:
    """Memory this process holds, after all that is free was given back. [bytes]"""
    gc.collect()
    give_back()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096


@pytest.mark.long
def test_a_hundred_plans_leak_less_than_fifty_megabytes(tmp_path: Path) -> None:
    """Read, plan and publish a hundred times; the first ten are for what is loaded once."""
    network, sizes = write_case("vehicles", tmp_path), []
    for run in range(110):
        plan = allocator.solve(allocator.read(network))
        plan.write(tmp_path / "plan")
        del plan
        if run in (9, 109):
            sizes.append(resident())
    assert sizes[1] - sizes[0] < LEAK, [size >> 20 for size in sizes]
