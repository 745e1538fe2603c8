"""One HiGHS process for the tests that do it no harm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from allocator.engine.process import Solver


@pytest.fixture(scope="package")
def solver() -> Iterator[Solver]:
    """A running solver."""
    with Solver() as process:
        yield process
