"""The previous plan's shipments as coded: what is compared with it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from allocator.network import build_network
from allocator.network.build import read_previous
from allocator.tables import read_tables

from .conftest import Coded

SHIPPED = pd.DataFrame(
    [
        ("bolt", "DC", "S1", "standard", "2026-03-01", 9.0),  # before the start
        ("bolt", "DC", "S1", "standard", "2026-03-02", 3.0),
        ("bolt", "DC", "S2", "standard", "2026-03-03", 4.0),
        ("gone", "DC", "S1", "standard", "2026-03-02", 7.0),  # an item of the past
        ("bolt", "DC", "S9", "standard", "2026-03-05", 7.0),  # a lane of the past
    ],
    columns=["item", "origin", "destination", "mode", "ship_date", "quantity"],
)


def test_only_shipments_of_this_network_are_compared(coded: Coded, tmp_path: Path) -> None:
    """Items, lanes and dates of the past drop out; every lane and day through the last kept ship date is compared."""
    coded("horizon_days = 4\nchange_cost = 0.5\n")
    network = build_network(read_tables(tmp_path), SHIPPED)
    previous = network.previous
    assert network.change_cost == 0.5
    assert list(zip(previous.lane.tolist(), previous.bucket.tolist(), previous.quantity.tolist(), strict=True)) == [
        (0, 0, 3.0),
        (1, 1, 4.0),
    ]
    assert previous.compared.tolist() == [[True, True, False, False]] * 2


def test_without_a_previous_plan_nothing_is_compared(coded: Coded) -> None:
    """change_cost alone changes nothing."""
    network = coded("horizon_days = 4\nchange_cost = 0.5\n")
    assert network.change_cost == 0.0
    assert not network.previous.compared.any()


def test_a_previous_plan_must_be_a_plan(tmp_path: Path) -> None:
    """A folder without a manifest is refused, with the key to mend."""
    with pytest.raises(FileNotFoundError, match=r"previous_plan: .* is not a plan folder"):
        read_previous(tmp_path)
