"""A quantity that a planner decides: a lock, written as a scenario over the plan's own network, never into the network."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from allocator.scenario import Chosen, Overlay, choose, read_chosen
from allocator.scenario.overlay import parse_overlay
from allocator.scenario.writing import document
from allocator.serve.asked import Asked
from allocator.serve.forms import Errors
from allocator.serve.holdings import Holdings, NetworkHeld, PlanHeld, Served
from allocator.serve.saving import NotSavedError, place_for
from allocator.tables.findings import Finding, InputError
from allocator.tables.tables import Tables

FIELDS = ("item", "lane", "date", "kind", "quantity", "reason", "planner", "name")
KINDS = {"fix": "exactly", "min": "at least", "max": "at most"}
LANE = ("origin", "destination", "mode")


@dataclass(frozen=True)
class Way:
    """A lane that may be locked, as the form offers it: its number among them, and its words."""

    lane: tuple[str, str, str]
    words: str


@dataclass(frozen=True)
class Source:
    """What a plan was made from: the network's folder and the scenarios on it.

    Attributes
    ----------
    same : bool
        The folder still gives the very input of the plan.
    """

    network: NetworkHeld
    chosen: Chosen
    same: bool


def source_of(plan: PlanHeld, holdings: Holdings) -> Source | None:
    """Find the network and scenarios that a plan was made from, best one that still gives the same input; None when none is here."""
    found: Source | None = None
    for network in holdings.networks.values():
        if network.title != plan.manifest.get("network"):
            continue
        try:
            chosen = choose(network.path, plan.scenario)
            now = read_chosen(chosen).input_hash
        except InputError:
            continue
        if now == plan.manifest.get("input_hash"):
            return Source(network, chosen, True)
        found = found or Source(network, chosen, False)
    return found


def ways(tables: Tables, site: str) -> list[Way]:
    """Lanes into a site and out of it."""
    lanes = tables["lanes"].select(list(LANE)).to_pylist()
    mine = sorted(
        tuple(str(lane[name]) for name in LANE) for lane in lanes if site in (lane["origin"], lane["destination"])
    )
    ordered = sorted(mine, key=lambda lane: lane[1] != site)  # what comes in first
    return [Way((a, b, m), f"{a} to {b}" + (f" ({m})" if m != "standard" else "")) for a, b, m in ordered]


def dates(tables: Tables) -> list[str]:
    """Days of the horizon."""
    settings = tables.settings
    return [(settings.start + datetime.timedelta(days=day)).isoformat() for day in range(settings.horizon_days)]


def overlay_with(
    asked: Asked,
    lane: tuple[str, str, str],
    source: Source,
    held: Tables,
    served: Served,
    holdings: Holdings,
    errors: Errors,
) -> tuple[str, Overlay] | None:
    """Make the scenario that holds the lock: a new one, or one more lock in the one that is there.

    Returns
    -------
    (str, Overlay) or None
        The text of its file, and what it reads as; None when a field does not fit.
    """
    try:
        target = place_for(asked.one("name").strip(), source.network, served, holdings)
    except NotSavedError as error:
        errors["name"] = [str(error)]
        return None
    try:
        quantity: Any = float(asked.one("quantity"))
        quantity = int(quantity) if quantity.is_integer() else quantity
    except (ValueError, OverflowError):
        errors["quantity"] = ["is not a number; give the quantity to ship, units"]
        return None
    there = next((one for one in holdings.of_network(source.network.name) if one.path == target), None)
    if there is not None and (there.overlay is None or there.overlay.content.sweep):
        errors["name"] = [f"{there.name} can't take a lock (it sweeps, or can't be read); give another name"]
        return None
    content: dict[str, Any] = {
        "base": os.path.relpath(source.network.path, target.parent),
        "description": "Quantities decided by planners.",
    }
    if there is not None and there.overlay is not None:
        content = there.overlay.content.model_dump(by_alias=True, exclude_unset=True)
    rows = [row for entry in content.get("append", []) if entry["table"] == "locks" for row in entry["rows"]]
    known = {str(row.get("lock")) for row in rows} | set(held["locks"]["lock"].to_pylist())
    row = {
        "lock": next(code for number in range(1, len(known) + 2) if (code := f"L{number}") not in known),
        "item": asked.one("item"),
        **dict(zip(LANE, lane, strict=True)),
        "date": asked.one("date"),
        "kind": asked.one("kind"),
        "quantity": quantity,
        "reason": asked.one("reason").strip(),
        "planner": asked.one("planner").strip(),
    }
    text = document(content | {"append": [*content.get("append", []), {"table": "locks", "rows": [row]}]})
    findings: list[Finding] = []
    overlay = parse_overlay(text, target, findings)
    beside(findings, errors)
    return None if overlay is None else (text, overlay)


def resolved(source: Source, overlay: Overlay) -> Chosen:
    """The plan's network and scenarios with the lock on top; an older state of the same file gives way to the new one."""
    kept = [one for one in source.chosen.overlays if one.path.resolve() != overlay.path.resolve()]
    return Chosen(source.network.path, (*kept, overlay))


def beside(findings: Iterable[Finding], errors: Errors) -> None:
    """Put every finding beside its field."""
    for finding in findings:
        column = (finding.column or "").removeprefix("rows.")
        name = "lane" if column in LANE else column if column in FIELDS else "top"
        text = f"{'' if finding.value is None else repr(finding.value) + ' '}{finding.rule}; {finding.mend}"
        errors.setdefault(name, []).append(text if name != "top" else str(finding))
