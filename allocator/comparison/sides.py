"""The tables of a comparison: every case beside the base case, in long form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from allocator.measure.registry import KPIS

TABLES = ("cases", "kpis", "waterfall", "movers", "limits", "allocations")
"""Tables of a comparison, in the order they are written."""
PLACE = ("resource", "site", "origin", "destination", "mode", "channel", "date", "unit")
NEAR = 1e-6
"""Differences of quantities below this are none. [units]"""

Side = tuple[str, Any]
"""A label and its Plan."""
Make = Callable[[Any, Any], pd.DataFrame]


def tables_of(sides: Sequence[Side]) -> dict[str, pd.DataFrame]:
    """Lay every case beside the first.

    Parameters
    ----------
    sides : sequence of (str, Plan)
        Labels and plans, the base first.

    Returns
    -------
    dict of str to DataFrame
        The tables named in `TABLES`; docs/scenarios.md says what their columns mean.
    """
    return {
        "cases": cases(sides),
        "kpis": _each(sides, kpis),
        "waterfall": _each(sides, waterfall),
        "movers": _each(sides, movers),
        "limits": _each(sides, limits),
        "allocations": _each(sides, allocations),
    }


def _each(sides: Sequence[Side], make: Make) -> pd.DataFrame:
    """Stack one frame for each case but the base, its label first."""
    base = sides[0][1]
    frames = []
    for label, plan in sides[1:]:
        frame = make(base, plan)
        frame.insert(0, "case", label)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def cases(sides: Sequence[Side]) -> pd.DataFrame:
    """What each case is, and what its plan is worth; the best plans' difference to the base's lies from least to most."""
    rows = []
    first, most = float(sides[0][1].certificate["value"]), _bound(sides[0][1])
    for place, (label, plan) in enumerate(sides):
        paper, value = plan.certificate, float(plan.certificate["value"])
        rows.append(
            {
                "case": label,
                "network": plan.network.settings.name,
                "scenario": ",".join(plan.network.scenario),
                "plan_id": str(plan.manifest["plan_id"]),
                "input_hash": str(plan.manifest["input_hash"]),
                "engine": str(paper["engine"]),
                "status": str(paper["status"]),
                "value": value,
                "difference": value - first,
                "gap": np.nan if paper["gap"] is None else float(paper["gap"]),
                "bound": _bound(plan),
                "least": value - most if place else 0.0,
                "most": _bound(plan) - first if place else 0.0,
                **paired(sides[0][1], plan),
                "exceptions": float(len(plan.tables["exceptions"])),
            }
        )
    return pd.DataFrame(rows)


def _bound(plan: Any) -> float:
    """Most that any plan of the case can be worth; NaN when nothing is proven, or only for shipments already decided."""
    bound = plan.certificate["bound"]
    return np.nan if bound is None or "outlooks" in plan.certificate else -float(bound)


def paired(base: Any, plan: Any) -> dict[str, float]:
    """Mean difference in value over the outlooks both plans met, with its 95 % interval (Student's t on the differences).

    Draws depend on the seed, on codes and on dates alone, so two scenarios meet the same luck and most of it cancels.
    NaN unless both plans were hedged against as many outlooks of the same seed.
    """
    names = ("outlooks_mean", "outlooks_low", "outlooks_high")
    mine, theirs = (one.certificate.get("outlooks") for one in (base, plan))
    if not mine or not theirs or any(mine[name] != theirs[name] for name in ("count", "seed", "common_factor")):
        return dict.fromkeys(names, np.nan)
    gained = np.asarray(mine["objectives"], float) - np.asarray(theirs["objectives"], float)
    mean, count = float(gained.mean()), len(gained)
    if count < 2:
        return dict(zip(names, (mean, np.nan, np.nan), strict=True))
    reach = float(stdtrit(count - 1, 0.975)) * float(gained.std(ddof=1)) / count**0.5
    return dict(zip(names, (mean, mean - reach, mean + reach), strict=True))


def is_open(frame: pd.DataFrame) -> list[bool]:
    """Whether the proven gaps (over outlooks: the paired interval) leave open which is worth more, for each case."""
    low = frame["outlooks_low"].fillna(frame["least"])
    high = frame["outlooks_high"].fillna(frame["most"])
    marks = (low <= 0) & (high >= 0)
    return [False, *marks.tolist()[1:]]


def kpis(base: Any, plan: Any) -> pd.DataFrame:
    """Every KPI of every scope beside the base's, and whether the difference is good or bad."""
    known = {kpi.name: kpi for kpi in KPIS}
    keys = ["kpi", "scope", "unit"]
    frames = [one.tables["kpis"][[*keys, "value"]].astype(dict.fromkeys(keys, "object")) for one in (base, plan)]
    both = frames[0].merge(frames[1], on=keys, how="outer", suffixes=("_base", ""), sort=True)
    both = both.rename(columns={"value_base": "base"})[[*keys, "base", "value"]]
    both["difference"] = both["value"] - both["base"]
    order = {kpi.name: place for place, kpi in enumerate(KPIS)}
    both["better"] = [known[name].better if name in known else "neither" for name in both["kpi"]]
    sign = np.sign(both["difference"].where(both["difference"].abs() > 1e-9, 0.0)) * both["better"].map(
        {"up": 1.0, "down": -1.0, "neither": 0.0}
    )
    both["direction"] = np.select([sign > 0, sign < 0], ["good", "bad"], default="")
    ranked: pd.DataFrame = both.sort_values("kpi", key=lambda names: names.map(order), kind="stable", ignore_index=True)
    return ranked


def waterfall(base: Any, plan: Any) -> pd.DataFrame:
    """Each component of the objective: cost in both, and what it adds to the difference in value."""
    mine, theirs = base.certificate["components"], plan.certificate["components"]
    names = list(dict.fromkeys([*mine, *theirs]))
    frame = pd.DataFrame(
        {
            "component": names,
            "base": [float(mine.get(name, 0.0)) for name in names],
            "cost": [float(theirs.get(name, 0.0)) for name in names],
        }
    )
    frame["contribution"] = frame["base"] - frame["cost"]
    return frame


def movers(base: Any, plan: Any) -> pd.DataFrame:
    """Items, sites and channels whose served, lost, shipped or closing stock differ; the largest first."""
    frames = []
    for by, what in (
        ("item", ("served", "lost", "shipped", "stock")),
        ("site", ("served", "shipped", "stock")),
        ("channel", ("served", "lost")),
    ):
        for measure in what:
            frame = _beside(_amounts(base, by, measure), _amounts(plan, by, measure), ["code"])
            frame.insert(0, "measure", measure)
            frame.insert(0, "by", by)
            frames.append(frame[frame["difference"].abs() > NEAR])
    found = pd.concat(frames, ignore_index=True)
    size = -found["difference"].abs()
    return (
        found.assign(size=size).sort_values(["by", "measure", "size", "code"], ignore_index=True).drop(columns="size")
    )


def _amounts(plan: Any, by: str, measure: str) -> pd.DataFrame:
    """Units of one measure by item, site or channel; a site is the one that serves, receives or holds."""
    table = {"served": "admissions", "lost": "unmet", "shipped": "shipments", "stock": "projections"}[measure]
    frame = plan.tables[table]
    column = "destination" if (by, measure) == ("site", "shipped") else by
    quantity = "stock" if measure == "stock" else "quantity"
    if measure == "lost" and "status" in frame:
        frame = frame[frame["status"] == "lost"]
    if measure == "stock" and len(frame):
        frame = frame[frame["date"] == frame["date"].max()]
    return pd.DataFrame({"code": frame[column].astype("object"), "quantity": frame[quantity].astype(float)})


def _beside(base: pd.DataFrame, other: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add quantities up by key on both sides: base, quantity, difference."""
    left = base.rename(columns={"quantity": "base"}).assign(quantity=0.0)
    right = other.assign(base=0.0)
    both = pd.concat([left, right], ignore_index=True)
    summed = both.groupby(keys, sort=True, dropna=False, observed=True)[["base", "quantity"]].sum().reset_index()
    summed["difference"] = summed["quantity"] - summed["base"]
    return summed


def limits(base: Any, plan: Any) -> pd.DataFrame:
    """What the next unit of each shared resource is worth in both, and whether its limit became tight or free."""
    both = _prices(base).merge(_prices(plan), on=list(PLACE), how="outer", suffixes=("_base", ""), sort=True)
    both = both.rename(columns={"price_base": "base"}).fillna({"base": 0.0, "price": 0.0})
    both["difference"] = both["price"] - both["base"]
    tight, was = both["price"] > 0, both["base"] > 0
    both["change"] = np.select([tight & ~was, was & ~tight], ["became tight", "became free"], default="tight in both")
    return both[[*PLACE, "base", "price", "difference", "change"]]


def _prices(plan: Any) -> pd.DataFrame:
    rows: list[Mapping[str, Any]] = list(plan.certificate.get("prices") or [])
    frame = pd.DataFrame(
        {name: pd.Series([str(row.get(name) or "") for row in rows], dtype="object") for name in PLACE}
    )
    frame["price"] = pd.Series([float(row["price"]) for row in rows], dtype=float)
    return frame.groupby(list(PLACE), sort=True, observed=True)["price"].max().reset_index()


def allocations(base: Any, plan: Any) -> pd.DataFrame:
    """Shipments and admissions whose quantity differs; for an admission the destination is channel/zone."""
    keys = ["kind", "item", "origin", "destination", "mode", "date"]
    frame = _beside(_moves(base), _moves(plan), keys)
    frame = frame[frame["difference"].abs() > NEAR].reset_index(drop=True)
    frame["date"] = pd.to_datetime(frame["date"]).astype("datetime64[s]")
    return frame


def _moves(plan: Any) -> pd.DataFrame:
    ships, serves = plan.tables["shipments"], plan.tables["admissions"]
    shipped = pd.DataFrame(
        {
            "kind": "shipment",
            **{name: ships[name].astype("object") for name in ("item", "origin", "destination", "mode")},
            "date": ships["ship_date"],
            "quantity": ships["quantity"].astype(float),
        }
    )
    served = pd.DataFrame(
        {
            "kind": "admission",
            "item": serves["item"].astype("object"),
            "origin": serves["site"].astype("object"),
            "destination": serves["channel"].astype(str) + "/" + serves["zone"].astype(str),
            "mode": "",
            "date": serves["date"],
            "quantity": serves["quantity"].astype(float),
        }
    )
    both = pd.concat([shipped, served], ignore_index=True)
    both["date"] = pd.to_datetime(both["date"]).astype("datetime64[s]")
    return both
