"""Departures, arrivals, volumes, vehicles, and what item_lanes change, against docs/semantics.md, "Lanes"."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from allocator.network.network import METHODS

from .conftest import Coded

HEAD = "origin,destination,mode,lead_time_days,cost_per_unit,cost_per_m3,vehicle_volume,daily_volume,departs,method\n"
OWN = "item,origin,destination,mode,pack_size,min_quantity,cost_per_unit,method,allowed\n"


@pytest.mark.parametrize(
    ("departs", "toml", "ship", "arrival"),
    [
        ("1111111", "horizon_days = 4\n", [0, 1, 2, 3], [1, 2, 3, -1]),
        ("1010100", "horizon_days = 4\n", [0, -1, 2, -1], [1, -2, 3, -2]),
        ("0000011", "horizon_days = 7\n", [-1, -1, -1, -1, -1, 5, 6], [-2] * 5 + [6, -1]),
        ("0011000", "horizon_days = 7\nbuckets = [1, 3, 3]\n", [-1, 2, -1], [-2, 1, -2]),
        ("0001000", "horizon_days = 7\nbuckets = [1, 3, 3]\n", [-1, 3, -1], [-2, 2, -2]),
        ("0000000", "horizon_days = 4\n", [-1] * 4, [-2] * 4),
    ],
)
def test_departures(coded: Coded, departs: str, toml: str, ship: list[int], arrival: list[int]) -> None:
    """Goods leave on the first departing day of a bucket (Monday first) and arrive a lead time later."""
    lanes = coded(toml, lanes=HEAD + f"DC,S1,standard,1,,,,,{departs},\n").lanes
    assert lanes.ship_day[0].tolist() == ship
    assert lanes.arrival[0].tolist() == arrival


def test_week_starts_on_the_networks_first_day(coded: Coded, tmp_path: Path) -> None:
    """The departure mask is read by the week day of the date, not by the day of the horizon."""
    coded(lanes=HEAD + "DC,S1,standard,1,,,,,1000000,\n")
    from allocator.network import build_network
    from allocator.tables import read_tables

    text = (tmp_path / "network.toml").read_text().replace("2026-03-02", "2026-03-06")  # a Friday
    (tmp_path / "network.toml").write_text(text)
    assert build_network(read_tables(tmp_path)).lanes.ship_day[0].tolist() == [-1, -1, -1, 3]


def test_volume_of_a_bucket_counts_departing_days(coded: Coded) -> None:
    """A lane takes daily_volume on each departing day of a bucket; without one there is no limit."""
    lanes = coded(
        "horizon_days = 7\nbuckets = [1, 3, 3]\n",
        lanes=HEAD + "DC,S1,standard,1,,,,2.5,1011100,\nDC,S2,standard,1,,,,,,\n",
    ).lanes
    assert lanes.daily_volume[0].tolist() == [2.5, 5.0, 2.5]
    assert np.isinf(lanes.daily_volume[1]).all()


@pytest.mark.parametrize(("vehicle", "daily", "expected"), [("4", "9", 4.0), ("", "9", 9.0), ("", "", 5.0)])
def test_vehicle_is_as_large_as_stated_else_as_the_lane_else_as_all_stock(
    coded: Coded, vehicle: str, daily: str, expected: float
) -> None:
    """The effective vehicle volume falls back to the lane's, then to all usable stock (10 bolts of 0.5 m3)."""
    lots = "lot,item,site,quantity,received_date,status\nL1,bolt,DC,10,2026-02-01,\nL2,bolt,DC,90,2026-02-01,blocked\n"
    lanes = coded(lanes=HEAD + f"DC,S1,standard,1,,,{vehicle},{daily},,\n", lots=lots).lanes
    assert lanes.vehicle_volume.tolist() == [expected]


def test_freight_is_per_unit_and_per_volume(coded: Coded) -> None:
    """Unit freight = cost_per_unit + cost_per_m3 x unit_volume, per item."""
    lanes = coded().lanes
    assert lanes.freight[:, 0].tolist() == [1 + 2 * 0.5, 1 + 2 * 0.1, 1 + 2 * 1.0]


def test_own_rows_beat_category_rows_column_by_column(coded: Coded) -> None:
    """A row replaces only what it states: the item's own row, then its category's, then the lane's."""
    own = (
        OWN + "bolt,DC,S1,standard,,6,,pull,\n"
        "category:iron,DC,S1,standard,4,2,0.25,push,\n"
        "category:wet,DC,S1,standard,,,,jit,false\n"
    )
    lanes = coded(item_lanes=own).lanes
    bolt, nail, oil = 0, 1, 2
    assert lanes.pack[:, 0].tolist() == [4.0, 4.0, 0.0]
    assert lanes.min_quantity[:, 0].tolist() == [6.0, 2.0, 0.0]
    assert lanes.freight[bolt, 0] == 0.25 + 2 * 0.5
    assert lanes.freight[oil, 0] == 1 + 2
    assert [METHODS[m] for m in lanes.method[:, 0]] == ["pull", "push", "jit"]
    assert lanes.open[:, 0].tolist() == [True, True, False]
    assert lanes.open[:, 1].all()
    assert [METHODS[m] for m in lanes.method[:, 1]] == ["auto"] * 3
    assert lanes.pack[nail, 1] == 1.0  # the quantum, where nothing is stated


def test_an_own_row_may_open_what_its_category_closes(coded: Coded) -> None:
    """`allowed = true` of the item wins over `allowed = false` of its category, whatever the order of the rows."""
    lanes = coded(item_lanes=OWN + "bolt,DC,S1,standard,,,,,true\ncategory:iron,DC,S1,standard,,,,,false\n").lanes
    assert lanes.open[:, 0].tolist() == [True, False, True]


def test_nothing_is_shipped_to_a_site_that_does_not_carry_it(coded: Coded) -> None:
    """`carried = false` closes the lanes into the site, not those out of it."""
    lanes = HEAD + "DC,S1,standard,1,,,,,,\nS1,DC,standard,1,,,,,,\n"
    found = coded(lanes=lanes, stock_policies="item,site,carried\nbolt,S1,false\n").lanes
    place = {code[:2]: number for number, code in enumerate(found.codes)}
    assert found.open[:, place["DC", "S1"]].tolist() == [False, True, True]
    assert found.open[:, place["S1", "DC"]].all()
