"""The bars: what was asked, what was found, whether it is met. A figure that could not be taken is not met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Row = dict[str, Any]
Found = dict[str, Any]

GAP = 0.005


def bar(name: str, limit: float, found: float | None, most: bool, note: str = "") -> Found:
    """One bar.

    Parameters
    ----------
    name : str
    limit : float
    found : float or None
        None: not measured, which is not met.
    most : bool
        At most the limit; else at least.
    note : str
    """
    met = found is not None and (found <= limit if most else found >= limit)
    return {"bar": name, "limit": limit, "at": "most" if most else "least", "found": found, "met": met, "note": note}


def of_case(name: str, role: str, case: Row) -> list[Found]:
    """All bars that are read off one case."""
    reading: dict[str, Callable[[str, Row], list[Found]]] = {
        "building": _building,
        "stress": _stress,
        "small": _small,
        "large": _large,
    }
    return reading[role](name, case) if role in reading else []


def _building(name: str, case: Row) -> list[Found]:
    found = []
    if "building" in case:
        found.append(
            bar(f"{name}: building against plain Pyomo, times faster", 20.0, case["building"]["ratio"], most=False)
        )
    whole = case["rows"].get("whole")
    if whole is not None:
        found.append(
            bar(f"{name}: share of the whole engine's process outside HiGHS", 0.35, whole.get("outside_wall"), True)
        )
    return found


def _stress(name: str, case: Row) -> list[Found]:
    rows = case["rows"]
    priced, inner = rows["priced"], rows["highs-ipm"]
    linear = priced.get("linear") or {}
    ours = linear.get("seconds")
    done = inner["status"] == "Optimal"
    theirs = inner["phases"].get("solve") if done else inner.get("limit")  # of one that failed: none
    late = inner["status"] == "time limit"
    note = "the interior point ran into its limit, which stands for its time" if late else ""
    to_gap = inner.get("seconds_to_gap")
    optimum = inner["value"] if done else None
    return [
        bar(
            f"{name}: linear plan with a proven gap of 0.5 %, times faster than HiGHS's interior point on the whole LP",
            10.0,
            ratio(theirs, ours),
            most=False,
            note=note,
        ),
        bar(
            f"{name}: the same against the moment when its own objectives are within 0.5 %",
            10.0,
            ratio(to_gap if done else theirs, ours),
            most=False,
            note=note,
        ),
        bar(f"{name}: linear plan's distance from the LP optimum", GAP, apart(linear.get("cost"), optimum), most=True),
        bar(f"{name}: bound above the LP optimum, relative", 1e-6, above(priced.get("bound"), optimum), most=True),
        bar(f"{name}: proven gap of the plan in whole packs", GAP, priced.get("gap"), most=True),
    ]


def _small(name: str, case: Row) -> list[Found]:
    whole, priced = case["rows"]["whole"], case["rows"]["priced"]
    optimum = whole["value"] if whole["status"] == "optimal" else None
    return [
        bar(f"{name}: priced plan's distance from the optimum", GAP, apart(priced.get("value"), optimum), most=True),
        bar(f"{name}: priced bound above the optimum, relative", 1e-6, above(priced.get("bound"), optimum), most=True),
    ]


def _large(name: str, case: Row) -> list[Found]:
    priced, alone = case["rows"]["priced"], case["rows"].get("priced-1", {})
    return [
        bar(f"{name}: proven gap", GAP, priced.get("gap"), most=True),
        bar(f"{name}: seconds, process start to end", 60.0, finished(priced), most=True),
        bar(f"{name}: share of all workers' CPU outside HiGHS", 0.35, priced.get("outside_workers"), most=True),
        bar(f"{name}: the same of all processes, the driver's too", 0.35, priced.get("outside_share"), most=True),
        bar(
            f"{name}: 2 workers against 1, times faster (the engine's stages)",
            1.8,
            ratio(alone.get("engine_seconds"), priced.get("engine_seconds")),
            most=False,
        ),
    ]


def of_growth(first: tuple[int, Row], last: tuple[int, Row]) -> list[Found]:
    """Bars of the growth cases: (items, row) of the smallest and the largest."""
    (few, small), (many, large) = first, last
    name = f"{many:,} items"
    one, other = finished(small), finished(large)
    growth = None if one is None or other is None else (other / many) / (one / few) - 1.0
    gaps = None if small.get("gap") is None or large.get("gap") is None else large["gap"] - small["gap"]
    return [
        bar(f"{name}: minutes, process start to end", 20.0, None if other is None else other / 60.0, most=True),
        bar(
            f"{name}: GiB, all processes together",
            8.0,
            large["peak_mib"] / 1024.0 if "peak_mib" in large else None,
            most=True,
        ),
        bar(f"{name}: proven gap", 0.01, large.get("gap"), most=True),
        bar(f"{name}: share of all workers' CPU outside HiGHS", 0.35, large.get("outside_workers"), most=True),
        bar(f"{name}: time per item against {few:,} items, growth", 0.10, growth, most=True),
        bar(f"{name}: gap against {few:,} items, growth", 0.0, gaps, most=True),
    ]


def finished(row: Row) -> float | None:
    """Seconds of one that came to an end."""
    return None if row.get("status") in (None, "time limit", "failed") else float(row["seconds"])


def ratio(theirs: float | None, ours: float | None) -> float | None:
    """How many times faster ours is."""
    return None if theirs is None or not ours else theirs / ours


def apart(value: float | None, optimum: float | None) -> float | None:
    """Distance from the optimum, relative."""
    return None if value is None or optimum is None else abs(value - optimum) / max(abs(optimum), 1.0)


def above(bound: float | None, optimum: float | None) -> float | None:
    """How far a bound lies above the optimum, relative; negative below it."""
    return None if bound is None or optimum is None else (bound - optimum) / max(abs(optimum), 1.0)
