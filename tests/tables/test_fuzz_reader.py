"""Networks broken at random end in findings, never in a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tables.fuzz_reader import fuzz, one

Make = Callable[..., Path]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(random=st.randoms(use_true_random=False))
def test_what_is_broken_is_read_or_refused(random: Random, make: Make, tmp_path: Path) -> None:
    """A network broken in any way that hypothesis draws (and shrinks) is good, set aside or refused with findings."""
    assert one(make(), tmp_path / "broken", random) in ("bad", "good", "aside")


@pytest.mark.long
def test_a_minute_of_fuzzing_finds_nothing(make: Make) -> None:
    """The same for a minute, with seeds of its own; `make fuzz` goes on for ten."""
    counts = fuzz(make(), 60.0, first=1_000_000)
    assert counts["bad"]
    assert counts["good"]
    assert counts["aside"]
