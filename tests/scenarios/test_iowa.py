"""The demo network: it reads without findings, has what its README says, and its builder gives the committed bytes."""

import subprocess
import sys
from pathlib import Path

import pytest

from allocator.tables import Tables, read_tables

ROOT = Path(__file__).parents[2]
IOWA = ROOT / "scenarios" / "iowa"
SOURCE = ROOT.parent / "shared" / "data" / "iowa_liquor"


@pytest.fixture(scope="module")
def tables() -> Tables:
    """The demo network's tables."""
    return read_tables(IOWA)


def test_demo_has_two_channels_forty_stores_and_lots_that_expire(tables: Tables) -> None:
    """The reader finds nothing wrong, and the shape is the README's."""
    assert tables.frame("sites")["kind"].value_counts().to_dict() == {"store": 40, "dc": 2, "supplier": 1}
    assert len(tables.frame("items")) == 42
    assert set(tables.frame("channels")["unmet"]) == {"lost", "backorder"}
    end = tables.frame("forecasts")["date"].max()
    expiry = tables.frame("lots")["expiry_date"].dropna()
    assert len(expiry) > 100
    assert (expiry <= end).any()


def test_forecasts_fall_on_the_days_their_store_is_delivered(tables: Tables) -> None:
    """Walk-in demand stands on weekdays on which the lane from Cedar Rapids departs, and is never below 0.05 a day."""
    lanes = tables.frame("lanes").query("origin == 'CEDAR-RAPIDS'").set_index("destination")["departs"]
    walk_in = tables.frame("forecasts").query("channel == 'store'")
    days = walk_in["date"].dt.day_of_week
    assert all(lanes[zone][day] == "1" for zone, day in zip(walk_in["zone"], days, strict=True))
    assert tables.frame("forecasts")["mean"].min() >= 0.05


def test_demo_is_small_and_attributed() -> None:
    """At most two megabytes, with the source named."""
    assert sum(path.stat().st_size for path in IOWA.iterdir()) <= 2_000_000
    assert "Iowa Alcoholic Beverages Division, data.iowa.gov" in (IOWA / "README.md").read_text()


def test_builder_gives_the_committed_tables(tmp_path: Path) -> None:
    """Built again from the source, every table is the same byte for byte."""
    if not SOURCE.is_dir():
        pytest.skip(f"the source of the demo network is not in the project: {SOURCE} is not here")
    command = [sys.executable, str(ROOT / "benchmarks" / "build_iowa.py"), str(SOURCE), str(tmp_path)]
    subprocess.run(command, check=True, timeout=120)
    built = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert built == {path.name: path.read_bytes() for path in IOWA.iterdir() if path.name != "README.md"}
