"""The few lines a plan is summed up in on the terminal."""

import subprocess
import sys

import pandas as pd
import pytest

from allocator.report import summary

KPIS = pd.DataFrame(
    [
        ("value", "network", 1234.5, "EUR"),
        ("fill_rate", "network", 0.9512, "share"),
        ("fill_rate", "channel:web", 0.5, "share"),
        ("units_lost", "network", 0.0, "units"),
        ("inventory_turns", "network", float("nan"), "per year"),
    ],
    columns=["kpi", "scope", "value", "unit"],
)
CERTIFICATE = {"objective": -1234.5, "bound": -1234.5, "gap": 0.0, "value": 1234.5}
GAVE = pd.DataFrame(
    [("storage", None, "DC1", pd.Timestamp("2025-10-07"), float(k), "m3", 10.0 * k, "more room") for k in range(1, 6)],
    columns=["what", "item", "where", "date", "amount", "unit", "cost", "mend"],
)


def test_plain_text_holds_the_figures():
    """Values, the proof, what gave and where things lie are told, undefined figures are not."""
    text = summary(KPIS, CERTIFICATE, GAVE, baseline={"fill_rate": 0.9}, where={"plan": "out/plan"})
    assert text.splitlines()[0].split() == ["this", "plan", "rules"]
    assert "1,234 EUR" in text or "1,235 EUR" in text
    assert "95.1 %" in text
    assert "90.0 %" in text
    assert "Proven optimal" in text
    assert "5 limits had to give, at 150 EUR of penalty." in text
    assert "storage at DC1 on Tuesday 7 Oct: by 5 m3, 50 EUR" in text
    assert "and 2 more" in text
    assert text.endswith("plan: out/plan")
    assert "turns" not in text


def test_control_characters_in_names_do_not_reach_the_terminal():
    """An escape sequence in a site's name is made harmless."""
    text = summary(KPIS, CERTIFICATE, GAVE.assign(where="\x1b[31mDC1"))
    assert "\x1b" not in text


def test_rich_output_says_the_same(capsys):
    """What rich draws holds the same figures as the plain text, and markup in names stays text."""
    from rich.console import Console

    console = Console(width=110)
    console.print(summary(KPIS, CERTIFICATE, GAVE.assign(where="[red]DC1"), terminal=True))
    drawn = capsys.readouterr().out
    assert "95.1 %" in drawn
    assert "[red]DC1" in drawn


@pytest.mark.parametrize("call", ["import allocator.report", "import allocator.explain"])
def test_rich_is_imported_only_on_a_terminal(call):
    """Importing the package does not import rich."""
    code = f"{call}, sys; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
