"""The cases of a comparison: what is given (plans, networks, scenarios) to a plan or a network each, with a label."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allocator.plan.plan import Plan, read_plan
from allocator.scenario.lookup import Chosen, expand, file_of
from allocator.scenario.overlay import fault
from allocator.scenario.reading import read_chosen
from allocator.tables.findings import Finding, InputError
from allocator.tables.places import called, is_address
from allocator.tables.tables import Tables

if TYPE_CHECKING:
    from allocator.run import Options

Given = str | Path | Plan | Tables
PACKAGES = ("inventory-allocator", "highspy", "pyomo", "numpy", "pandas", "pyarrow", "scipy")


@dataclass(frozen=True)
class Case:
    """One side of a comparison, before it is run.

    Attributes
    ----------
    label : str
        What it is called; no two cases share a label.
    plan : Plan or None
        A finished plan that was given as such.
    tables : Tables or None
        The network to plan otherwise.
    """

    label: str
    plan: Plan | None = None
    tables: Tables | None = None


def gather(given: Sequence[Given], scenario: Iterable[str] = ()) -> list[Case]:
    """Read every case, checked, before anything is planned.

    Parameters
    ----------
    given : sequence of str, Path, Plan or Tables
        Plan folders, network folders, scenario files (families become all their members), or what was read from them.
    scenario : iterable of str
        Scenarios to lay on the one network given, a case each: ``["promo", "promo,dc-out"]``.

    Raises
    ------
    InputError
        With every fault of every case.
    """
    layers, findings, cases = list(scenario), list[Finding](), list[Case]()
    if layers and (len(given) != 1 or not isinstance(given[0], str | Path) or _is_plan(Path(given[0]))):
        mend = "give one network folder with scenarios, or each case as a scenario file or plan folder"
        raise InputError([fault("scenario", None, None, "needs exactly one network to be laid on", mend)])
    total = 0
    for entry, layer in [(given[0], layer) for layer in ("", *layers)] if layers else [(entry, "") for entry in given]:
        try:
            cases += _cases(entry, layer)
        except InputError as error:
            findings += error.findings
            total += error.total
    if total:
        raise InputError(findings, total)
    if len(cases) < 2:
        mend = "name another, e.g. allocator compare scenarios/iowa --scenario promo -o DIR"
        raise InputError([fault("cases", None, None, f"are {len(cases)}, nothing to compare", mend)])
    money = {_settings(case).currency for case in cases}
    if len(money) > 1:
        mend = "compare networks of one currency"
        raise InputError([fault("cases", "currency", None, f"differs ({', '.join(sorted(money))})", mend)])
    return _labelled(cases)


def _cases(entry: Given, layer: str) -> list[Case]:
    if isinstance(entry, Plan):
        names = entry.network.scenario
        return [Case("+".join(names) or str(entry.manifest.get("network", "plan")), plan=entry)]
    if isinstance(entry, Tables):
        return [Case("+".join(entry.scenario) or entry.settings.name, tables=entry)]
    if is_address(entry):
        return [Case(_label(chosen), tables=read_chosen(chosen)) for chosen in expand(entry, layer)]
    place = Path(entry)
    if _is_plan(place):
        return [Case(place.resolve().name, plan=read_plan(place))]
    if not place.is_dir() and file_of(str(place)) is None:
        mend = "give a plan folder, a network folder or a scenario file"
        raise InputError([fault(str(place), None, None, "is not a folder", mend)])
    family = expand(place, layer)
    return [Case(_label(chosen), tables=read_chosen(chosen)) for chosen in family]


def _label(chosen: Chosen) -> str:
    return "+".join(chosen.names) or called(chosen.network)


def _labelled(cases: list[Case]) -> list[Case]:
    taken: dict[str, int] = {}
    named = []
    for case in cases:
        taken[case.label] = taken.get(case.label, 0) + 1
        count = taken[case.label]
        named.append(case if count == 1 else replace(case, label=f"{case.label} ({count})"))
    return named


def _settings(case: Case) -> Any:
    held = case.tables if case.tables is not None else case.plan.network if case.plan is not None else None
    assert held is not None
    return held.settings


def _is_plan(folder: Path) -> bool:
    try:
        return "plan_id" in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def key_of(tables: Tables, options: Options, start: str | None = None) -> str:
    """Return the key of a run: a hash of the resolved input, the options, everything that computes the answer, and the run it starts from."""
    facts = {
        "input": tables.input_hash,
        "options": asdict(options),
        "versions": versions(),
        "code": code_hash(),
    } | ({} if start is None else {"start": start})
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]


@cache
def versions() -> dict[str, str]:
    """Versions of the packages that compute a plan."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


@cache
def code_hash() -> str:
    """Hash of this package's own source, so that a run of other code is never reused under the same version."""
    digest = hashlib.sha256()
    for package in ("allocator", "allocator_models"):
        spec = importlib.util.find_spec(package)
        for folder in spec.submodule_search_locations or [] if spec else []:
            for path in sorted(Path(folder).rglob("*.py")):
                digest.update(f"\0{package}/{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()
