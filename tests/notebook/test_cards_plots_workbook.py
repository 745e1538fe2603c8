"""Cards, plots and workbooks: what they show, and names that look like markup or formulas."""

import builtins
from dataclasses import replace

import pandas as pd
import pytest

from allocator.measure import measure
from allocator.notebook import PLOTS, write_workbook
from allocator.plan.plan import Plan
from allocator.plan.publish import TABLES
from allocator.report.answer import proof
from allocator.tables import read_tables
from tests.measure.sample import NASTY_ITEM, make_certificate, make_manifest, make_plan, write_network


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """A made-up plan as `allocator.solve` would give it."""
    tables = read_tables(write_network(tmp_path_factory.mktemp("network"), items=5, stores=4, days=8))
    made = make_plan(tables)
    certificate = make_certificate(tables, made)
    kpis = measure(tables, made, certificate["components"], {"value": 100.0})
    frames = {name: made.get(name, pd.DataFrame()) for name in TABLES} | {"kpis": kpis}
    return Plan(tables, frames, certificate, make_manifest() | {"created": "2025-10-06T22:00:00+00:00"})


def test_the_plan_card_says_the_answer_and_escapes_names(plan):
    """Value, proof and what gave stand on the card; a note that looks like markup is shown as text."""
    card = replace(plan, manifest=dict(plan.manifest) | {"notes": ["<script>alert(1)</script>"]})._repr_html_()
    assert "a plan worth" in card
    assert proof(plan.certificate, "USD") in card
    assert "had to give" in card
    assert "<script>" not in card
    assert "&lt;script&gt;" in card


def test_the_network_card_counts_rows(plan):
    """Each table with rows is named with how many."""
    card = plan.network._repr_html_()
    assert f">{plan.network['items'].num_rows}</td>" in card
    assert "8 days from" in card


@pytest.mark.parametrize("kind", PLOTS)
def test_every_plot_is_drawn(plan, kind):
    """Each kind gives a figure with a title and, where it measures something, a unit on its axis."""
    pytest.importorskip("matplotlib", reason="needs the extra [plot]")
    figure = plan.plot(kind)
    axes = figure.axes[0]
    assert axes.get_title()
    if kind != "capacity":
        assert axes.get_xlabel() or axes.get_ylabel()
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_an_unknown_plot_is_refused(plan):
    """The kinds there are stand in the message."""
    with pytest.raises(ValueError, match="one of value, stock, service, capacity, found 'pie'"):
        plan.plot("pie")


@pytest.mark.parametrize(("module", "call"), [("xlsxwriter", "to_excel"), ("matplotlib.figure", "plot")])
def test_a_missing_extra_says_how_to_install_it(plan, monkeypatch, tmp_path, module, call):
    """Without the package the error names the extra."""
    real = builtins.__import__

    def refuse(name, *rest, **named):
        """Act as if the package were not there."""
        if name == module:
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=r"pip install 'inventory-allocator\["):
        getattr(plan, call)(*([tmp_path / "p.xlsx"] if call == "to_excel" else []))


def test_the_workbook_holds_every_table(plan, tmp_path):
    """One sheet a table with all its rows and columns, and a first sheet that says what they are."""
    openpyxl = pytest.importorskip("openpyxl", reason="needs the dev extra")
    pytest.importorskip("xlsxwriter", reason="needs the extra [excel]")
    book = openpyxl.load_workbook(plan.to_excel(tmp_path / "plan.xlsx"))
    assert book.sheetnames == ["about", *TABLES]
    for name in TABLES:
        sheet, frame = book[name], plan.tables[name]
        if len(frame):
            assert sheet.max_row == len(frame) + 1
            assert [cell.value for cell in sheet[1]] == list(frame.columns)
    first = plan.tables["shipments"].iloc[0]
    written = dict(zip(plan.tables["shipments"].columns, (cell.value for cell in book["shipments"][2]), strict=True))
    assert written["quantity"] == first["quantity"]
    assert written["ship_date"] == first["ship_date"].to_pydatetime()
    assert NASTY_ITEM in {cell.value for cell in book["projections"]["A"]}
    assert list(tmp_path.iterdir()) == [tmp_path / "plan.xlsx"]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(plan, tmp_path, name):
    """Text that a spreadsheet could take for a formula gets an apostrophe in front, figures do not."""
    openpyxl = pytest.importorskip("openpyxl", reason="needs the dev extra")
    shipments = plan.tables["shipments"].assign(item=name, quantity=-1.0)
    bad = replace(
        plan, tables={"shipments": shipments, "exceptions": plan.tables["exceptions"], "kpis": plan.tables["kpis"]}
    )
    sheet = openpyxl.load_workbook(bad.to_excel(tmp_path / "p.xlsx"))["shipments"]
    cell = sheet["A2"]
    assert cell.data_type == "s"
    assert cell.value == f"'{name}"
    assert sheet.cell(2, list(shipments.columns).index("quantity") + 1).value == -1.0


def test_a_table_longer_than_a_sheet_is_cut_and_says_so(plan, tmp_path):
    """The first rows are written, and the first sheet says how many there are and where the rest is."""
    openpyxl = pytest.importorskip("openpyxl", reason="needs the dev extra")
    book = openpyxl.load_workbook(write_workbook(plan, tmp_path / "p.xlsx", most_rows=10))
    count = len(plan.tables["projections"])
    assert book["projections"].max_row == 11
    notes = {row[0].value: row[1].value for row in book["about"].iter_rows()}
    assert notes["sheet projections"].startswith(f"the first 10 of {count:,} rows")
    assert "projections.parquet" in notes["sheet projections"]


def test_same_plan_same_workbook(plan, tmp_path):
    """The file holds no other clock than the plan's own."""
    assert plan.to_excel(tmp_path / "a.xlsx").read_bytes() == plan.to_excel(tmp_path / "b.xlsx").read_bytes()


def test_another_ending_is_refused(plan, tmp_path):
    """A name that does not end in .xlsx is refused before anything is written."""
    with pytest.raises(ValueError, match=r"ends in \.xlsx, found 'p.csv'"):
        plan.to_excel(tmp_path / "p.csv")
    assert not list(tmp_path.iterdir())
