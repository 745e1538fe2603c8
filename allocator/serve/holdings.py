"""What lies under the folder that is served: networks, scenario files on them, and plans; each is asked for by its place in it.

Nothing that a request names is ever joined to a path: names are looked up in what was found.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from allocator.scenario.lookup import FOLDER, SUFFIX
from allocator.scenario.overlay import Content, Overlay, read_overlay
from allocator.tables.findings import Finding
from allocator.tables.settings import FILE
from allocator.tables.tables import NETWORK

DEPTH = 5
"""Folders below the one served that are looked into."""
PLANS = "plans"
"""Folder, in the one served, where plans made from the page are kept."""

Held = TypeVar("Held")


@dataclass(frozen=True)
class NetworkHeld:
    """A network folder: its place below the folder served, and what network.toml says first."""

    name: str
    path: Path
    title: str
    start: str
    horizon: str
    fault: str = ""


@dataclass(frozen=True)
class ScenarioHeld:
    """A scenario file: its place, what it holds (None when it can't be read), and the network it is for."""

    name: str
    path: Path
    overlay: Overlay | None
    network: str | None
    fault: str = ""

    @property
    def title(self) -> str:
        """What --scenario calls it."""
        return self.path.stem


@dataclass(frozen=True)
class PlanHeld:
    """A plan folder: its place, what its manifest and certificate say, and the currency of its network."""

    name: str
    path: Path
    manifest: dict[str, Any]
    certificate: dict[str, Any]
    currency: str

    @property
    def scenario(self) -> list[str]:
        """Scenarios it was made under."""
        return [str(name) for name in self.manifest.get("scenario") or []]

    @property
    def plan_id(self) -> str:
        """Its id."""
        return str(self.manifest["plan_id"])


@dataclass(frozen=True)
class Holdings:
    """All that was found, by place."""

    networks: dict[str, NetworkHeld]
    scenarios: dict[str, ScenarioHeld]
    plans: dict[str, PlanHeld]

    def of_network(self, name: str) -> list[ScenarioHeld]:
        """Scenarios that are for one network."""
        return [one for one in self.scenarios.values() if one.network == name]


class Served:
    """The folder that is served; looked through anew for every page, each file read again only when it changed."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._kept: dict[Path, tuple[tuple[int, ...], Any]] = {}

    @property
    def plans(self) -> Path:
        """Where plans made from the page go."""
        return self.root / PLANS

    @cached_property
    def title(self) -> str:
        """What the folder is called."""
        return self.root.name or str(self.root)

    def look(self) -> Holdings:
        """Find everything there is now."""
        folders = list(_folders(self.root, DEPTH))
        networks = {net.name: net for path in folders if (net := self._network(path))}
        plans = {plan.name: plan for path in folders if (plan := self._plan(path))}
        ordered = sorted(plans.values(), key=lambda plan: (str(plan.manifest.get("created")), plan.name), reverse=True)
        files = [path for folder in folders for path in sorted(folder.glob(f"*{SUFFIX}")) if path.name != FILE]
        if (self.root / FILE).is_file():
            files += sorted(self.root.parent.glob(f"*{SUFFIX}"))  # where --scenario finds names, too
        scenarios = {one.name: one for path in files if (one := self._scenario(path, networks))}
        return Holdings(networks, scenarios, {plan.name: plan for plan in ordered})

    def place(self, path: Path) -> str:
        """The place of a path, as seen from the folder served."""
        return Path(os.path.relpath(path, self.root)).as_posix()

    def _network(self, folder: Path) -> NetworkHeld | None:
        def read() -> NetworkHeld:
            name, said = self.place(folder), {}
            fault = ""
            try:
                said = tomllib.loads((folder / FILE).read_text("utf-8-sig"))
            except (OSError, ValueError, RecursionError) as error:
                fault = f"{FILE} can't be read ({str(error)[:200]}); write it as TOML"
            words = [str(said.get(key, "")) for key in ("name", "start", "horizon_days")]
            return NetworkHeld(name, folder, words[0] or folder.name, words[1], words[2], fault)

        return self._once(folder / FILE, read)

    def _plan(self, folder: Path) -> PlanHeld | None:
        def read() -> PlanHeld | None:
            try:
                manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
                if not isinstance(manifest, dict) or not isinstance(manifest.get("plan_id"), str):
                    return None
                certificate = json.loads((folder / "certificate.json").read_text("utf-8"))
                if not isinstance(certificate, dict) or not isinstance(certificate.get("value"), int | float):
                    return None
                network = json.loads((folder / "network" / NETWORK).read_text("utf-8"))
                currency = str(network["settings"]["currency"])
            except (OSError, ValueError, RecursionError, KeyError, TypeError):
                return None
            kept = {key: certificate.get(key) for key in ("value", "bound", "objective", "gap", "status", "engine")}
            return PlanHeld(self.place(folder), folder, manifest, kept, currency)

        return self._once(folder / "manifest.json", read)

    def _scenario(self, path: Path, networks: dict[str, NetworkHeld]) -> ScenarioHeld | None:
        def read() -> tuple[Overlay | None, str] | None:
            if _other(path):
                return None
            findings: list[Finding] = []
            return read_overlay(path, findings), str(findings[0]) if findings else ""

        found = self._once(path, read)
        if found is None:
            return None
        overlay, fault = found
        places = {held.path: name for name, held in networks.items()}
        base = None if overlay is None else overlay.content.base
        if base is not None:
            network = places.get((path.parent / base).resolve())
        elif path.parent.name == FOLDER:
            network = places.get(path.parent.parent)
        else:
            beside = [name for folder, name in places.items() if folder.parent == path.parent]
            network = beside[0] if len(beside) == 1 else None
        if network is None and (overlay is None or path.parent not in {self.root, *(p.parent for p in places)}):
            return None  # a scenario of a network that is not here
        return ScenarioHeld(self.place(path), path, overlay, network, fault)

    def _once(self, file: Path, read: Callable[[], Held]) -> Held | None:
        """What was read of a file, read again when the file was written or replaced; None where there is none."""
        try:
            facts = file.stat()
        except OSError:
            return None
        mark = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
        if file not in self._kept or self._kept[file][0] != mark:
            self._kept[file] = (mark, read())
        held: Held = self._kept[file][1]
        return held


def _other(path: Path) -> bool:
    """Whether a TOML file has nothing of a scenario: another program's."""
    try:
        return not tomllib.loads(path.read_text("utf-8-sig")).keys() & Content.model_fields.keys()
    except (OSError, ValueError, RecursionError):
        return False


def _folders(root: Path, depth: int) -> Iterator[Path]:
    """The folder and those below it, by name; none that is hidden, a link, or inside a plan."""
    yield root
    if depth == 0 or ((root / "manifest.json").is_file() and (root / "certificate.json").is_file()):
        return
    try:
        inside = sorted(entry.name for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    for name in inside:
        if not name.startswith((".", "__")):
            yield from _folders(root / name, depth - 1)
