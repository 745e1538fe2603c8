"""Two revisions compared: what counts as a regression, and that one ends with exit code 5."""

import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import check
from benchmarks.check import Measured, compare

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {"iterations": 1000.0, "rounds": 4.0, "rows": 50.0, "gap": 0.002}


def turns(changes=None, cpu=10.0, repeat=3):
    """Base and now, alike but for some counters and the CPU."""
    return [(Measured(dict(COUNTS), 10.0), Measured(COUNTS | (changes or {}), cpu)) for _ in range(repeat)]


def past(*arguments, **options):
    """Names of what is past its bar."""
    found, _ = compare("a case", turns(*arguments, **options))
    return [finding.what for finding in found if finding.past]


def test_the_same_figures_are_no_regression():
    """Equal counters and equal time pass."""
    assert past() == []


@pytest.mark.parametrize(("name", "value"), [("iterations", 1021), ("rounds", 5), ("rows", 52), ("gap", 0.0021)])
def test_a_counter_beyond_two_per_cent_is_named(name, value):
    """Each counter is a gate of its own."""
    assert past({name: float(value)}) == [name]


def test_a_counter_within_two_per_cent_passes():
    """A counter may wobble a little."""
    assert past({"iterations": 1019.0}) == []


def test_time_is_a_loose_gate():
    """Time regresses beyond one and a half times only."""
    assert past(cpu=14.9) == []
    assert past(cpu=15.1) == ["CPU, times that of the base"]


def test_one_slow_turn_is_no_regression():
    """The median of the ratios counts, not the worst."""
    pairs = turns()
    pairs[1] = (pairs[1][0], Measured(dict(COUNTS), 90.0))
    assert not any(finding.past for finding in compare("a case", pairs)[0])


def test_what_the_base_does_not_count_is_skipped_with_a_word():
    """A new counter is not held against a base that lacks it."""
    base = {name: value for name, value in COUNTS.items() if name != "rounds"}
    found, words = compare("a case", [(Measured(base, 1.0), Measured(dict(COUNTS), 1.0))])
    assert "rounds" not in [finding.what for finding in found]
    assert words == ["skipped: a case: the base does not count rounds"]


def test_a_base_without_the_engine_is_skipped_with_a_word(tmp_path):
    """A revision from before the priced engine has nothing to compare."""
    task = check.TINY[1]
    measured = check.run(task, tmp_path, tmp_path, tmp_path / "run")
    found, words = compare(task.name, [(measured, Measured(dict(COUNTS), 1.0))])
    assert found == []
    assert words == [f"skipped: {task.name}: the base has no priced engine"]


def test_an_unknown_revision_is_refused(capsys):
    """Exit code 2 and one line, not a traceback."""
    assert check.main(["no-such-revision", "--tiny"]) == 2
    assert "no-such-revision" in capsys.readouterr().err


def test_a_regression_ends_with_exit_code_5(monkeypatch, capsys):
    """From the command line's end: more iterations than the base, exit code 5, and its name on stdout."""
    monkeypatch.setattr(check, "take_turns", lambda task, trees, folder, repeat: turns({"iterations": 1100.0}))
    assert check.main(["HEAD", "--tiny"]) == 5
    assert "REGRESSION" in capsys.readouterr().out
    monkeypatch.setattr(check, "take_turns", lambda task, trees, folder, repeat: turns())
    assert check.main(["HEAD", "--tiny"]) == 0


@pytest.mark.long
def test_a_made_up_regression_is_found_end_to_end(tmp_path, capsys):
    """A copy of the working tree that states three rounds more than it took is found out."""
    for name in ("allocator", "models"):
        shutil.copytree(ROOT / name, tmp_path / name)
    file = tmp_path / "allocator" / "optimise.py"
    honest = '"rounds": found.rounds,'
    assert honest in file.read_text()
    file.write_text(file.read_text().replace(honest, '"rounds": found.rounds + 3,'))
    known = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    code = check.main([known.stdout.strip(), "--tiny", "--repeat", "1", "--tree", str(tmp_path)])
    shown = capsys.readouterr().out
    assert code == 5, shown
    assert "priced: rounds" in shown.splitlines()[-1]
