"""`allocator init`: the starter network, and networks from the exports of other tools, end to end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import allocator
from allocator.cli import cli
from allocator.cli.init import FORMATS
from allocator.init import SOURCES, ExportError, convert, start
from allocator.init.mapping import rename_map
from allocator.init.units import convert_cells
from allocator.tables.schema import SCHEMA

EXPORTS = Path(__file__).parent / "exports"
ALL = (
    ("frepple", "frepple_demo"),
    ("frepple", "frepple_csv"),
    ("aws-supply-chain", "aws"),
    ("cosmic-frog", "cosmic"),
)


def table(folder: Path, name: str) -> pd.DataFrame:
    """A table of a network folder, all text."""
    return pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)


def cells(rows: pd.DataFrame, column: str, **keys: str) -> list[str]:
    """Cells of the rows with these keys."""
    for key, value in keys.items():
        rows = rows[rows[key] == value]
    return list(rows[column])


def test_the_starter_has_every_table_and_is_planned_at_once(tmp_path: Path) -> None:
    """Each table has rows, each is told of in the page, and the plan passes the audit."""
    start(tmp_path / "net")
    network = allocator.read(tmp_path / "net")
    assert all(network[name].num_rows for name in SCHEMA)
    page = (tmp_path / "net" / "README.md").read_text(encoding="utf-8")
    assert [name for name in SCHEMA if f"| {name} " not in page] == []
    plan = allocator.solve(network)
    assert plan.exit_code == 0
    assert plan.audit is not None
    assert plan.audit.ok


@pytest.mark.parametrize(("tool", "folder"), ALL, ids=[folder for _, folder in ALL])
def test_an_export_becomes_a_network_whose_plan_is_good(tool: str, folder: str, tmp_path: Path) -> None:
    """Converted, read without a finding, planned within the gap, audited good; demand is served."""
    made = convert(tool, EXPORTS / folder, tmp_path / "net")
    plan = allocator.solve(allocator.read(made.folder))
    assert plan.exit_code == 0
    assert plan.audit is not None
    assert plan.audit.findings == ()
    assert plan.admissions["quantity"].sum() > 0
    page = (made.folder / "init-report.md").read_text(encoding="utf-8")
    assert [line for line in [*made.report.lost, *made.report.assumed] if f"- {line}\n" not in page] == []


@pytest.mark.parametrize(("tool", "folder"), ALL, ids=[folder for _, folder in ALL])
def test_no_row_of_an_export_is_dropped_silently(tool: str, folder: str, tmp_path: Path) -> None:
    """Every row went somewhere or is told, and every filled column was used or is told."""
    report = convert(tool, EXPORTS / folder, tmp_path / "net").report
    told = "\n".join(report.lost)
    for sheet in report.sheets:
        if not sheet.taken.all():
            assert f"{sheet.name}: " in told
        for column in sheet.frame.columns:
            if column not in sheet.used and (sheet.frame[column] != "").any():
                assert f"{sheet.name}, column {sheet.titles[column]}: " in told or f"{sheet.name}: all" in told


def test_frepple_demo_keeps_its_figures(tmp_path: Path) -> None:
    """Lead times in seconds are days; multiples, stock and prices are those of the fixture; groups and closed demand are no items and orders."""
    net = convert("frepple", EXPORTS / "frepple_demo", tmp_path / "net").folder
    lanes, asks = table(net, "lanes"), table(net, "item_lanes")
    assert set(cells(lanes, "lead_time_days", origin="RDC")) == {"3"}
    assert sorted(set(cells(lanes, "lead_time_days", destination="RDC"))) == ["10", "15", "21", "7"]
    socks = asks[(asks["item"] == "Socks") & (asks["destination"] == "RDC") & (asks["allowed"] == "true")]
    assert list(socks["pack_size"]) == ["20"]
    assert cells(table(net, "lots"), "quantity", item="Novak racket", site="Tennis shop Paris") == ["20"]
    assert len(table(net, "items")) == 11
    assert not (net / "orders.csv").exists()
    assert len(table(net / "history", "sales")) == 3294
    assert allocator.read(net).settings.start.isoformat() == "2021-02-01"


def test_items_keep_to_the_lanes_they_were_given_for(tmp_path: Path) -> None:
    """The sock may not take the racket's faster way, nor the racket the sock's."""
    net = convert("frepple", EXPORTS / "frepple_csv", tmp_path / "net").folder
    asks = table(net, "item_lanes")
    assert cells(asks, "allowed", item="Sock", origin="RDC", destination="Shop A", mode="standard 3d") == ["true"]
    assert cells(asks, "allowed", item="category:wear", origin="RDC", destination="Shop A", mode="standard") == [
        "false"
    ]
    assert "itemsupplier, column leadtime: 1 row (2)" in (net / "init-report.md").read_text(encoding="utf-8")
    assert "quickly" not in (net / "lanes.csv").read_text(encoding="utf-8")


def test_aws_units_statuses_and_periods(tmp_path: Path) -> None:
    """Litres and pounds become m3 and kg, hours days; conditions are statuses; a week is spread over its days with its spread."""
    net = convert("aws-supply-chain", EXPORTS / "aws", tmp_path / "net").folder
    items = table(net, "items")
    assert cells(items, "unit_volume", item="00123") == ["0.0011"]
    assert float(cells(items, "unit_weight", item="00123")[0]) == pytest.approx(2.27 * 0.45359237)
    assert cells(items, "shelf_life_days", item="00123") == ["14"]
    assert cells(table(net, "lanes"), "lead_time_days", destination="S2") == ["2"]
    assert cells(table(net, "lots"), "status", lot="M2 Inspection") == ["quarantine"]
    week = table(net, "forecasts").query("item == '00123' and zone == 'S1'")
    assert list(week["mean"]) == ["10"] * 7
    assert float(week["std"].iloc[0]) == pytest.approx(40 / 2.5631031310892 / 7**0.5)
    assert cells(table(net, "orders"), "quantity", order="SO1") == ["6"]
    assert cells(table(net, "receipts"), "quantity", receipt="PO7 1") == ["20"]


def test_cosmic_frog_periods_policies_and_customers(tmp_path: Path) -> None:
    """Periods end where the next begins; a dozen is twelve; policies to customers are fulfilment, to facilities lanes."""
    net = convert("cosmic-frog", EXPORTS / "cosmic", tmp_path / "net").folder
    forecasts = table(net, "forecasts")
    suits = forecasts[(forecasts["item"] == "Space Suits") & (forecasts["zone"] == "CZ Boise")]
    assert suits["mean"].astype(float).sum() == pytest.approx(7 + 12)
    assert suits["date"].max() == "2026-03-22"
    assert cells(table(net, "lanes"), "lead_time_days", destination="DC Reno", origin="Acme") == ["5"]
    assert cells(table(net, "fulfilment"), "delivery_days", site="DC Dallas", zone="CZ Boise") == ["3"]
    assert cells(table(net, "item_lanes"), "min_quantity", item="Rockets", destination="DC Reno", origin="Acme") == [
        "20"
    ]
    assert cells(table(net, "sites"), "holding_rate", site="DC Dallas") == ["0.12"]


def test_a_folder_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    """Exit code 2, one line, and the file in it is as it was; an empty folder is taken."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "items.csv").write_text("item\nA\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    for extra in ([], ["--from", "frepple", str(EXPORTS / "frepple_csv")]):
        result = CliRunner().invoke(cli, ["init", str(tmp_path / "mine"), *extra])
        assert result.exit_code == 2
        assert "is there already" in result.output
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["items.csv"]
    assert CliRunner().invoke(cli, ["init", str(tmp_path / "empty")]).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "mine"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("item.json", "{", "can't be read"),
        ("item.json", '{"a": 1}', "is not a Django fixture"),
        ("item.csv", "name\n\udcff", "can't be read"),
        ("item.csv.gz", "no gzip", "can't be read"),
        ("notes.txt", "hello", "holds no table"),
        ("item.csv", "name\nA\n", "does not say which day"),
    ],
)
def test_an_export_that_is_none_is_refused_in_one_line(name: str, content: str, says: str, tmp_path: Path) -> None:
    """Damaged, empty or undated exports end with exit code 2 and write nothing."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    result = CliRunner().invoke(cli, ["init", str(tmp_path / "net"), "--from", "frepple", str(folder)])
    assert result.exit_code == 2
    assert says in result.output
    assert not (tmp_path / "net").exists()


def test_no_folder_is_no_export(tmp_path: Path) -> None:
    """A name misspelt is told as such."""
    with pytest.raises(ExportError, match="there is no folder"):
        convert("frepple", tmp_path / "nothing", tmp_path / "net")


@pytest.mark.parametrize(
    ("cell", "into", "unit", "becomes"),
    [
        ("604800.0", "whole days", "seconds", "7"),
        ("604801", "whole days", "seconds", "8"),
        ("7 00:00:00", "whole days", "seconds", "7"),
        ("36:00", "days", "seconds", "1.5"),
        ("2", "whole days", "weeks", "14"),
        ("2", "m3", "CFT", "0.056633693184"),
        ("12", "per unit", "DOZ", "1"),
        ("12%", "percent", "", "0.12"),
        ("2021-02-01 13:00:00", "day", "", "2021-02-01"),
        ("2021-02-28T23:59:59Z", "until", "", "2021-03-01"),
        ("2021-03-01T00:00:00Z", "until", "", "2021-03-01"),
        ("Yes", "flag", "", "true"),
        ("1e-7", "number", "", "1e-07"),
        ("", "number", "", ""),
    ],
)
def test_units_are_converted(cell: str, into: str, unit: str, becomes: str) -> None:
    """Each kind of cell, by hand."""
    made, bad = convert_cells(pd.Series([cell], dtype=object), into, pd.Series([""], dtype=object), unit)
    assert (made.iloc[0], bool(bad.iloc[0])) == (becomes, False)


@pytest.mark.parametrize(
    ("cell", "into", "unit"),
    [
        ("soon", "whole days", "days"),
        ("3", "days", "fortnights"),
        ("1,5", "number", ""),
        ("02/03/2021", "day", ""),
        ("maybe", "flag", ""),
    ],
)
def test_what_is_not_understood_is_kept_and_told(cell: str, into: str, unit: str) -> None:
    """No guess is made of a figure, unit, day or flag in another form."""
    made, bad = convert_cells(pd.Series([cell], dtype=object), into, pd.Series([""], dtype=object), unit)
    assert (made.iloc[0], bool(bad.iloc[0])) == (cell, True)


def test_the_maps_name_only_what_there_is() -> None:
    """Every target of every map is a table (or one worked on), every column one of its columns."""
    worked_on = {
        "ways": {
            "item",
            "origin",
            "destination",
            "mode",
            "lead_time_days",
            "cost_per_unit",
            "pack_size",
            "min_quantity",
        },
        "worth": {"item", "margin", "unmet_cost"},
        "supply": {"item", "site", "quantity", "pack_size"},
        "history": {"item", "channel", "zone", "date", "quantity"},
        "nothing": {"item"},
    }
    assert SOURCES == FORMATS
    for name in SOURCES:
        for rule in rename_map(name).rules:
            known = worked_on.get(rule["into"]) or {*SCHEMA[rule["into"]].names, "until"}
            assert set(rule["columns"]) <= known, (name, rule["table"])


def test_the_same_export_gives_the_same_bytes(tmp_path: Path) -> None:
    """Twice the same, wherever the export lies."""
    one = convert("frepple", EXPORTS / "frepple_csv", tmp_path / "one").folder
    shutil.copytree(EXPORTS / "frepple_csv", tmp_path / "frepple_csv")
    two = convert("frepple", tmp_path / "frepple_csv", tmp_path / "two").folder
    names = sorted(path.name for path in one.iterdir() if path.suffix in (".csv", ".toml"))
    assert [name for name in names if (one / name).read_bytes() != (two / name).read_bytes()] == []
