"""Bad input ends in one clear message through the command line, or is handled as documented; never in a traceback."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

import allocator
from allocator import cli
from tests.tables.bad_inputs import CASES, Case, row

Make = Callable[..., Path]
ROOM = 1 << 30
"""Arrow memory that reading a broken network may take, bombs included. [bytes]"""
HANDLED = (
    "capitals differ",
    "width differs",
    "numbers as codes",
    "words as codes",
    "markup in a name",
    "SQL as a code",
    "formula as a code",
    "minus zero",
    "forecast outside",
    "receipt overdue",
    "order overdue",
    "expires before it comes",
    "ring of same-day lanes",
    "site that no lane reaches",
)
"""Cases that are no faults: planned together."""


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """The command line takes SIGTERM over: give it back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def told(arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run the command line here; its exit code, and all that it says."""
    monkeypatch.setattr("sys.argv", ["allocator", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out + said.err


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_told(
    case: Case, make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is the documented one, and the message says what, where and how to mend it, on lines of a fit length."""
    folder = make()
    case.breaks(folder)
    network, more = str(folder), list(case.more)
    if more and more[0].startswith("@"):
        network, more = str(folder.parent / more[0][1:]), more[1:]
    before = pa.default_memory_pool().max_memory()
    code, text = told(["check", network, *more], monkeypatch, capsys)
    assert pa.default_memory_pool().max_memory() < max(before + 1, ROOM)
    assert code == case.code, text[-2000:]
    for words in case.words:
        assert words in text, text[-2000:]
    assert "Traceback" not in text
    assert "internal error" not in text
    assert text.isprintable() or all(c.isprintable() or c == "\n" for c in text)
    assert max(map(len, text.splitlines())) < 1500


def test_what_is_handled_is_planned(
    make: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A network with every oddity that is allowed is planned, audited and drawn; names stay names in the report and in a workbook."""
    folder = make()
    for case in CASES:
        if case.name in HANDLED:
            assert case.code == 0
            case.breaks(folder)
    for item in ("=cmd|' /C calc'!A0", "<script>alert(1)</script>"):
        row("lots", f"=L,{item},S1,3,2026-01-02,,")(folder)
        row("forecasts", f"{item},walk,S1,2026-01-06,2,,,,")(folder)
        row("prices", f"{item},walk,9,1")(folder)
    out = folder.parent / "plan"
    code, text = told(["plan", str(folder), "-o", str(out)], monkeypatch, capsys)
    assert code == 0, text
    page = (out / "report.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "alert(1)" in page
    plan = allocator.read_plan(out)
    assert plan.certificate["audit"]["ok"]
    plan.to_excel(out.parent / "plan.xlsx")
    book = openpyxl.load_workbook(out.parent / "plan.xlsx")
    cells = [c for sheet in book for cells in sheet.iter_rows() for c in cells]
    assert not [c.value for c in cells if c.data_type == "f"]
    assert {str(c.value)[0] for c in cells if "cmd|" in str(c.value)} == {"'"}
