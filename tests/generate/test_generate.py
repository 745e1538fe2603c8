"""Made-up networks: the size asked for, the same bytes for the same seed, consistent codes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.generate import generate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network."""
    return generate(
        60, 10, days=7, channels=3, dcs=2, seed=3, tight=0.25, expiring=0.5, out=tmp_path_factory.mktemp("n")
    )


def _read(folder: Path, table: str) -> pd.DataFrame:
    return pd.read_parquet(folder / f"{table}.parquet")


def test_same_arguments_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Every file is byte for byte the same on a second run, and differs with another seed."""
    again = generate(60, 10, days=7, channels=3, dcs=2, seed=3, tight=0.25, expiring=0.5, out=tmp_path / "again")
    other = generate(60, 10, days=7, channels=3, dcs=2, seed=4, tight=0.25, expiring=0.5, out=tmp_path / "other")
    names = sorted(path.name for path in folder.iterdir())
    assert [(again / name).read_bytes() for name in names] == [(folder / name).read_bytes() for name in names]
    assert (other / "forecasts.parquet").read_bytes() != (folder / "forecasts.parquet").read_bytes()


def test_size_is_what_was_asked_for(folder: Path) -> None:
    """Items, sites, channels and days are counted in the tables."""
    assert len(_read(folder, "items")) == 60
    assert _read(folder, "sites")["kind"].value_counts().to_dict() == {"store": 10, "dc": 2, "supplier": 1}
    assert len(_read(folder, "channels")) == 3
    assert _read(folder, "forecasts")["date"].nunique() == 7


def test_expected_share_of_items_expires(folder: Path) -> None:
    """Half the items have a shelf life, and exactly their lots have an expiry, all of it after the start."""
    life = _read(folder, "items").set_index("item")["shelf_life_days"]
    assert life.notna().sum() == 30
    lots = _read(folder, "lots")
    assert (lots["expiry_date"].notna() == lots["item"].map(life).notna()).all()
    assert (pd.to_datetime(lots["expiry_date"].dropna()) >= pd.Timestamp("2026-01-05")).all()


def test_demand_is_only_where_the_item_is_carried(folder: Path) -> None:
    """No walk-in forecast for a store that doesn't carry the item; some pairs are not carried."""
    policies = _read(folder, "stock_policies").set_index(["item", "site"])["carried"]
    forecasts = _read(folder, "forecasts").query("channel == 'store'")
    pairs = pd.MultiIndex.from_frame(forecasts[["item", "zone"]].drop_duplicates())
    assert policies.loc[pairs].all()
    assert (~policies).any()


def test_tight_share_of_capacities_is_below_the_load(folder: Path, tmp_path: Path) -> None:
    """With the seed kept, more tightness lowers a quarter of the rows and no other share changes size."""
    tight = _read(folder, "capacities")
    loose = _read(
        generate(60, 10, days=7, channels=3, dcs=2, seed=3, tight=0.0, expiring=0.5, out=tmp_path / "loose"),
        "capacities",
    )
    assert np.mean(tight["volume"] < 0.8 * loose["volume"]) == pytest.approx(0.25, abs=0.05)


def test_lots_are_whole_and_lot_codes_unique(folder: Path) -> None:
    """Quantities are positive whole units, and no lot code stands twice."""
    lots = _read(folder, "lots")
    assert (lots["quantity"] > 0).all()
    assert (lots["quantity"] % 1 == 0).all()
    assert lots["lot"].is_unique


@pytest.mark.parametrize("channels", [1, 2])
def test_reader_finds_nothing_wrong(channels: int, tmp_path: Path) -> None:
    """The reader accepts a made-up network, down to the smallest."""
    from allocator.tables import read_tables

    assert (
        read_tables(generate(1, 1, days=1, channels=channels, dcs=1, out=tmp_path / "one")).settings.horizon_days == 1
    )
    assert read_tables(generate(30, 5, channels=channels, out=tmp_path / "some")).settings.horizon_days == 14


@pytest.mark.parametrize(
    ("name", "value"), [("items", 0), ("dcs", -1), ("tight", 1.5), ("expiring", -0.1), ("seed", -1)]
)
def test_bad_arguments_are_refused_by_name(name: str, value: float, tmp_path: Path) -> None:
    """The message names the argument, and nothing is written."""
    arguments: dict[str, object] = {"items": 2, "stores": 2, name: value}
    with pytest.raises(ValueError, match=name):
        generate(**arguments, out=tmp_path / "none")  # type: ignore[arg-type]
    assert not (tmp_path / "none").exists()
