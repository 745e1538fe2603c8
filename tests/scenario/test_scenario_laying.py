"""What scenarios do to a network, and what they leave alone."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import allocator
from allocator.scenario import expand, read, read_chosen
from allocator.tables import SCHEMA
from tests.scenario.conftest import Write

QUIET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _rows(tables: allocator.tables.Tables, table: str, *columns: str) -> list[tuple[object, ...]]:
    return list(zip(*(tables[table][name].to_pylist() for name in columns), strict=True))


def test_changes_do_what_they_say(network: Path, write: Write) -> None:
    """Set, scale, add, drop and append change exactly the cells and rows they name; the rest stays."""
    write(
        "all",
        '[set]\nname = "all of it"\nmin_fill = { web = 0.9 }\n'
        '[[change]]\ntable = "forecasts"\nwhere = { item = ["milk", "bolt"], zone = "S1" }\nscale = { mean = 1.5 }\n'
        '[[change]]\ntable = "receipts"\nadd = { date = 1, quantity = 4 }\n'
        '[[change]]\ntable = "lanes"\nwhere = { origin = "S1" }\ndrop = true\n'
        '[[change]]\ntable = "lots"\nwhere = { lot = "M1" }\nset = { expiry_date = "", status = "blocked" }\n'
        '[[append]]\ntable = "items"\nrows = [{ item = 12, quantum = 0.5 }, { item = "new", unit_cost = 3 }]\n',
    )
    base, under = allocator.read(network), allocator.read(network, scenario="all")
    assert (under.settings.name, under.settings.min_fill) == ("all of it", {"web": 0.9})
    for was, now in zip(
        _rows(base, "forecasts", "item", "zone", "mean"), _rows(under, "forecasts", "item", "zone", "mean"), strict=True
    ):
        factor = 1.5 if was[0] in ("milk", "bolt") and was[1] == "S1" else 1.0
        assert now == (*was[:2], was[2] * factor)
    assert [(str(day), amount) for day, amount in _rows(under, "receipts", "date", "quantity")] == [
        ("2026-03-05", 10.0)
    ]
    assert _rows(under, "lanes", "origin") == [("DC",), ("DC",)]
    lots = {row[0]: row[1:] for row in _rows(under, "lots", "lot", "expiry_date", "status")}
    assert lots["M1"] == (None, "blocked")
    assert lots["M2"][1] == "available"
    assert ("12", 0.5, 0.0) in _rows(under, "items", "item", "quantum", "unit_cost")
    assert ("new", 1.0, 3.0) in _rows(under, "items", "item", "quantum", "unit_cost")
    same = set(SCHEMA) - {"forecasts", "receipts", "lanes", "lots", "items"}
    assert all(base[name].equals(under[name]) for name in same)


def test_changes_of_one_file_apply_in_order(network: Path, write: Write) -> None:
    """A later change of a file sees what the earlier ones did, and the list tells both."""
    write(
        "steps",
        '[[change]]\ntable = "sites"\nset = { storage_volume = 2 }\n'
        '[[change]]\ntable = "sites"\nwhere = { storage_volume = 2, site = "DC" }\nscale = { storage_volume = 3 }\n',
    )
    tables = allocator.read(network, scenario="steps")
    assert dict(_rows(tables, "sites", "site", "storage_volume")) == {"DC": 6.0, "S1": 2.0, "S2": 2.0}
    listed = tables.changes.to_pylist()
    assert [(row["number"], row["key"], row["before"], row["after"]) for row in listed] == [
        *((1, site, "", "2") for site in ("DC", "S1", "S2")),
        (2, "DC", "2", "6"),
    ]


def test_order_of_overlays_never_matters(network: Path, write: Write) -> None:
    """Overlays are read against the base alone, so any order gives the same network."""
    write("one", '[[change]]\ntable = "lanes"\nset = { method = "push" }\n')
    write("two", '[[change]]\ntable = "lanes"\nwhere = { method = "auto" }\nadd = { cost_per_unit = 1 }\n')
    hashes = {read(network, names).input_hash for names in ("one,two", "two,one", ["one", "two"])}
    hashes.add(read(network.parent / "one.toml", "two").input_hash)
    assert len(hashes) == 1


@given(table=st.sampled_from(["forecasts", "lots", "lanes", "prices"]), repeated=st.booleans())
@QUIET
def test_overlay_that_changes_nothing_keeps_the_hash(table: str, repeated: bool, network: Path, write: Write) -> None:
    """Scaled by 1, added 0 or set to what it was, a network keeps its input hash, however it is called."""
    column = {"forecasts": "mean", "lots": "quantity", "lanes": "cost_per_m3", "prices": "margin"}[table]
    change = f'[[change]]\ntable = "{table}"\n'
    more = f"{change}add = {{ {column} = 0 }}\n" if repeated else ""
    write("same", f"{change}scale = {{ {column} = 1 }}\n{more}")
    base, under = allocator.read(network), allocator.read(network, scenario="same")
    assert under.input_hash == base.input_hash
    assert under.changes.num_rows == base[table].num_rows * (2 if repeated else 1)
    assert under.changes["before"].equals(under.changes["after"])


@given(factor=st.floats(0.01, 100, allow_nan=False).filter(lambda factor: factor != 1))
@QUIET
def test_overlay_that_changes_a_figure_changes_the_hash(factor: float, network: Path, write: Write) -> None:
    """Another figure is another input."""
    write("other", f'[[change]]\ntable = "forecasts"\nscale = {{ mean = {factor!r} }}\n')
    base, under = allocator.read(network), allocator.read(network, scenario="other")
    assert under.input_hash != base.input_hash
    scaled = [mean * factor for (mean,) in _rows(base, "forecasts", "mean")]
    assert [mean for (mean,) in _rows(under, "forecasts", "mean")] == pytest.approx(scaled, rel=1e-12)


def test_sweep_makes_a_family(network: Path, write: Write) -> None:
    """Every combination of the swept values is a network of its own, and one can be named."""
    write(
        "fam",
        '[set]\nchange_cost = 0.0\n[[change]]\ntable = "sites"\nwhere = { site = "DC" }\nset = { outbound_volume = 1 }\n'
        '[[sweep]]\nname = "out"\nchange = 1\nfrom = 1\nto = 2\nsteps = 3\n'
        '[[sweep]]\nname = "cost"\nkey = "set.change_cost"\nvalues = [0, 1]\n',
    )
    family = expand(network, "fam")
    assert [chosen.names[0] for chosen in family] == [
        f"fam:out={out}:cost={cost}" for out in ("1", "1.5", "2") for cost in (0, 1)
    ]
    volumes = {read_chosen(chosen)["sites"]["outbound_volume"][0].as_py() for chosen in family}
    assert volumes == {1.0, 1.5, 2.0}
    one = read(network, "fam:out=1.5:cost=1")
    assert (one["sites"]["outbound_volume"][0].as_py(), one.settings.change_cost) == (1.5, 1.0)


def test_quarantine_sets_bad_rows_of_the_resolved_network_aside(network: Path, write: Write) -> None:
    """With quarantine a row that breaks a rule only under the scenario is set aside and listed."""
    write("odd", '[[change]]\ntable = "lots"\nwhere = { lot = "B1" }\nset = { quantity = 2.5 }\n')
    tables = allocator.read(network, scenario="odd", quarantine=True)
    assert "B1" not in tables["lots"]["lot"].to_pylist()
    assert len(tables.quarantined) == 1


def test_plan_folder_lists_the_changes(network: Path, write: Write, tmp_path: Path) -> None:
    """The plan holds the resolved network and the list of changes, is verified, and is read back with both."""
    write("promo", '[[change]]\ntable = "forecasts"\nwhere = { item = "milk" }\nscale = { mean = 2 }\n')
    plan = allocator.solve(allocator.read(network, scenario="promo"), engine="rules")
    plan.write(tmp_path / "plan")
    manifest = json.loads((tmp_path / "plan" / "manifest.json").read_text())
    assert manifest["scenario"] == ["promo"]
    assert "changes.parquet" in manifest["files"]
    assert any("scenario promo: 12 cells" in note for note in manifest["notes"])
    assert pq.read_table(tmp_path / "plan" / "changes.parquet").num_rows == 12
    again = allocator.read_plan(tmp_path / "plan")
    assert (again.network.scenario, again.network.changes.num_rows) == (("promo",), 12)
    assert allocator.audit.audit_folder(tmp_path / "plan").ok
    allocator.solve(allocator.read(network), engine="rules").write(tmp_path / "plain")
    assert not (tmp_path / "plain" / "changes.parquet").exists()
