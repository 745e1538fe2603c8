"""The benchmarks' own arithmetic: bars, the interior point's log, the page; and the smallest cases from end to end."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import bars, page
from benchmarks.cases import PEERS
from benchmarks.machine import environment, watch
from benchmarks.peers import seconds_to_gap
from benchmarks.planning import linear
from benchmarks.smoothed import Smoothed

ROOT = Path(__file__).resolve().parents[2]
LOG = """
 Iter       primal obj         dual obj       pinf       dinf       gap      time
   0   -8.51491771e+07  -4.81961972e+11   1.16e-01   9.52e-01  2.00e+00       0.1
  12    4.79552557e+04   4.79552558e+04   2.21e-03   4.01e-09  2.48e+00       0.2
  24   -1.12164615e+03  -1.12697090e+03   1.68e-16   8.41e-17  4.73e-03       3.0
  25*  -1.12338984e+03  -1.12535488e+03   1.68e-16   1.02e-16  1.75e-03       4.5
"""


def test_the_interior_point_s_log_says_when_its_gap_closed():
    """Objectives count once the residuals are small."""
    assert seconds_to_gap(LOG, 0.005) == 3.0
    assert seconds_to_gap(LOG, 0.002) == 4.5
    assert seconds_to_gap(LOG, 1e-6) is None


def stress(**inner):
    """A stress case's rows."""
    done = {"status": "Optimal", "value": -1000.0, "phases": {"solve": 200.0}, "seconds_to_gap": 150.0, "limit": 420.0}
    priced = {"linear": {"seconds": 16.0, "cost": -998.0}, "bound": -1001.0, "gap": 0.004}
    return {"rows": {"priced": priced, "highs-ipm": done | inner}}


def test_the_stress_bars_are_read_off_the_rows():
    """Times faster, distance from the optimum, and a bound that holds."""
    found = bars.of_case("case", "stress", stress())
    assert [round(bar["found"], 4) for bar in found] == [12.5, 9.375, 0.002, -0.001, 0.004]
    assert [bar["met"] for bar in found] == [True, False, True, True, True]


def test_a_peer_that_ran_into_its_limit_stands_with_it():
    """Its limit is the least it took; what needs its optimum is not measured, and that is not met."""
    found = bars.of_case("case", "stress", stress(status="time limit", value=None))
    assert found[0]["found"] == 420.0 / 16.0
    assert "limit" in found[0]["note"]
    assert found[2]["found"] is None
    assert not found[2]["met"]


def test_a_bound_above_the_optimum_is_not_met():
    """Of a small case."""
    rows = {"whole": {"status": "optimal", "value": -100.0}, "priced": {"value": -99.8, "bound": -99.9}}
    distance, above = bars.of_case("case", "small", {"rows": rows})
    assert distance["met"]
    assert not above["met"]


def test_growth_is_by_item():
    """Twenty thousand items may take a tenth more time an item, and no larger gap."""
    small = {"status": "optimal", "seconds": 100.0, "peak_mib": 1000, "gap": 0.004}
    large = {"status": "optimal", "seconds": 890.0, "peak_mib": 9000, "gap": 0.005, "outside_workers": 0.36}
    found = {bar["bar"].split(": ")[1]: bar for bar in bars.of_growth((2500, small), (20000, large))}
    assert found["time per item against 2,500 items, growth"]["found"] == pytest.approx(0.1125)
    assert [bar["met"] for bar in found.values()] == [True, False, True, False, False, False]


def test_the_linear_plan_is_read_off_the_passes():
    """The last pass of relief with a gap, vehicles by the room used; the time of the first plan within the asked gap of the bound so far."""
    log = [
        {"event": "round", "bound": -10.5, "seconds": 6.0},
        {"event": "round", "bound": -10.04, "seconds": 3.0},
        {"event": "pass", "kind": "relieve", "gap": None, "cost": 5.0, "linear": 5.0, "seconds": 2.0},
        {"event": "pass", "kind": "relieve", "gap": 0.02, "cost": -9.8, "linear": -10.0, "seconds": 1.0},
        {"event": "pass", "kind": "whole", "gap": 0.06, "cost": -9.0, "linear": -9.2, "seconds": 4.0},
        {"event": "round", "bound": -10.01, "seconds": 3.0},
        {"event": "pass", "kind": "improve", "gap": 0.02, "cost": -9.8, "linear": -10.0, "seconds": 4.0},
    ]
    found = linear(log, 20.0, 0.005)
    assert found == {"cost": -10.0, "gap": pytest.approx(0.001), "seconds": 23.0, "kind": "relieve"}
    assert linear(log, 20.0, 0.002)["seconds"] == 34.0, "rounds between the passes count"
    assert linear(log[:2], 20.0, 0.005) is None


def test_a_process_past_its_limit_is_killed_and_said_to_be(tmp_path):
    """Also what it started."""
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    run = watch(["-c", child], tmp_path / "out", tmp_path / "err", limit=0.5)
    assert run.late
    assert run.seconds < 20


def test_a_part_of_the_page_leaves_the_others(tmp_path):
    """``make bench-scale`` keeps what ``make bench`` wrote."""
    file = tmp_path / "page.md"
    page.write("full", "one\n", file)
    page.write("scale", "two\n", file)
    page.write("full", "three\n", file)
    text = file.read_text()
    assert "\none\n" not in text
    assert text.index("\nthree\n") < text.index("\ntwo\n")


def test_columns_reach_the_optimum_of_a_problem_done_by_hand():
    """Two groups want 1 unit each at a gain of 5 and 3, one unit is there: the bound is 5 gained, the price between 3 and 5."""
    gain, limit = np.array([5.0, 3.0]), np.array([1.0])
    master = Smoothed(2, limit, np.array([100.0]), 0.5)
    for _ in range(12):
        takes = gain > master.next[0]
        cost = np.where(takes, -gain, 0.0)
        bound = float((cost + takes * master.next[0]).sum() - master.next @ limit)
        master.take(bound, cost, takes[:, None].astype(float))
    assert master.bound == pytest.approx(-5.0)
    assert master.promise == pytest.approx(-5.0)


@pytest.mark.long
def test_everybody_agrees_on_the_smallest_case(tmp_path):
    """All peers and both engines plan four items; every whole program has the same value, and the page can be drawn."""
    pytest.importorskip("linopy")
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks.run", "--tiny", "--json", str(file)]
    subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    result = json.loads(file.read_text())
    first = next(iter(result["cases"].values()))["rows"]
    assert set(first) == {*PEERS, "whole", "priced"}
    whole = {name: row["value"] for name, row in first.items() if name.endswith("-mip") or name == "whole"}
    assert len({round(value, 3) for value in whole.values()}) == 1, whole
    relaxed = {name: row["value"] for name, row in first.items() if name.endswith(("-lp", "-simplex", "-ipm"))}
    assert max(relaxed.values()) - min(relaxed.values()) < 1e-3 * abs(max(relaxed.values()))
    assert first["priced"]["bound"] <= first["whole"]["value"] + 1e-6
    assert "ours, priced" in page.part("Side by side", "make bench", result)
