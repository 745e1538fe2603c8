"""Which network and which overlays a path and some names mean.

A name is looked for as ``NAME.toml`` in the network's own ``scenarios`` folder and beside the network folder (and beside
the scenario file that was given in place of a network); for a network named by an address, in the working folder and its
``scenarios``. A name with ``.toml`` or a ``/`` in it is a path. ``NAME:share=0.2`` is one member of a family.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from allocator.scenario.overlay import Content, Overlay, fault, read_overlay
from allocator.tables.findings import Finding, InputError, nearest
from allocator.tables.places import is_address
from allocator.tables.settings import FILE

FOLDER = "scenarios"
SUFFIX = ".toml"


@dataclass(frozen=True)
class Chosen:
    """One network to read: its folder or address, and the overlays on it."""

    network: str | Path
    overlays: tuple[Overlay, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the overlays."""
        return tuple(overlay.name for overlay in self.overlays)


def choose(path: str | Path, scenario: str | Iterable[str] = ()) -> Chosen:
    """Return the one network that a path and scenario names mean.

    Raises
    ------
    InputError
        When a name is unknown, a file is no scenario, or the names mean a whole family.
    """
    family = expand(path, scenario)
    if len(family) > 1:
        swept = next(o for o in family[0].overlays if ":" in o.name)
        shown = ", ".join(o.name for chosen in family[:4] for o in chosen.overlays if o.path == swept.path)
        more = ", ..." if len(family) > 4 else ""
        mend = f"name one of them ({shown}{more}), or give the family to `allocator compare`"
        raise InputError([fault(swept.source, "sweep", None, f"makes {len(family)} networks", mend)])
    return family[0]


def expand(path: str | Path, scenario: str | Iterable[str] = ()) -> list[Chosen]:
    """Return every network that a path and scenario names mean: more than one where a file sweeps a number.

    Raises
    ------
    InputError
        With every fault found.
    """
    findings = list[Finding]()
    names = split(scenario)
    layers: list[list[Overlay]] = []
    network: str | Path = path if is_address(path) else Path(path)
    places = _places(network)
    file = file_of(str(network)) if isinstance(network, Path) else None
    if file is not None:
        own = _members(file, str(network), findings)
        if own:
            layers.append(own)
            network = _base(own[0], findings)
            places = [*_places(network), file.parent.resolve()]
    for name in names:
        path_of = _find(name, list(dict.fromkeys(places)), findings)
        if path_of is not None:
            layers.append(_members(path_of, name, findings))
    doubled = [name for name in {*names} if names.count(name) > 1]
    findings += [fault(name, None, None, "is named twice", "name it once") for name in sorted(doubled)]
    if findings:
        raise InputError(findings)
    return [Chosen(network, picked) for picked in itertools.product(*layers)]


def split(scenario: str | Iterable[str]) -> list[str]:
    """Return scenario names from ``a,b`` or several of these."""
    given = [scenario] if isinstance(scenario, str) else list(scenario)
    return [name.strip() for part in given for name in part.split(",") if name.strip()]


def file_of(name: str) -> Path | None:
    """Return the scenario file that a path names (``FILE.toml`` or ``FILE.toml:share=0.2``), None for a folder."""
    head, dot, tail = name.rpartition(SUFFIX)
    return Path(head + dot) if dot and (not tail or tail.startswith(":")) else None


def known(places: Sequence[Path]) -> list[str]:
    """Return the names of the scenario files in some folders."""
    found = {path.stem for place in places for path in sorted(place.glob(f"*{SUFFIX}")) if _is_scenario(path)}
    return sorted(found)


def _places(network: str | Path) -> list[Path]:
    """Folders in which a network's scenarios lie; one that is named by an address has them where the command is run."""
    if isinstance(network, str):
        return [Path.cwd() / FOLDER, Path.cwd()]
    folder = network.resolve()
    return [folder / FOLDER, folder.parent]


def _find(name: str, places: list[Path], findings: list[Finding]) -> Path | None:
    file = file_of(name)
    if file is None and "/" in name:
        file = file_of(name + SUFFIX)
    if file is not None:
        return file
    stem = name.partition(":")[0]
    found = [place / f"{stem}{SUFFIX}" for place in places if (place / f"{stem}{SUFFIX}").is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        shown = " and ".join(str(path.parent.name) for path in found)
        findings.append(fault(name, None, None, f"is a scenario in {shown}", "give the path of one of them"))
        return None
    names = known(places)
    like = nearest(stem, names)
    mend = f"did you mean {like}? " if like else ""
    mend += f"known here: {', '.join(names)}" if names else f"put {stem}{SUFFIX} beside the network folder"
    findings.append(fault(name, None, None, "is not a scenario of this network", mend))
    return None


def _members(path: Path, name: str, findings: list[Finding]) -> list[Overlay]:
    """Return the family of a file, or the one member that a name asks for."""
    if not path.is_file():
        findings.append(fault(str(path), None, None, "is not a file", "give the path of a scenario file"))
        return []
    overlay = read_overlay(path, findings)
    if overlay is None:
        return []
    family = overlay.members()
    asked = name.rpartition("/")[2].partition(":")[2]
    if not asked:
        return family
    picked = [member for member in family if member.name.partition(":")[2] == asked]
    if not picked:
        names = ", ".join(member.name for member in family)
        mend = f"the members are {names}" if overlay.content.sweep else "the file sweeps nothing; leave the : away"
        findings.append(fault(path.name, None, asked, "is not a member of the family", mend))
    return picked


def _base(overlay: Overlay, findings: list[Finding]) -> Path:
    base = overlay.content.base
    if base is None:
        mend = 'add base = "NETWORK FOLDER", or run it on a network with --scenario'
        findings.append(fault(overlay.source, "base", None, "is missing", mend))
        return overlay.path.parent
    if Path(base).is_absolute() or not base.isprintable():
        findings.append(
            fault(overlay.source, "base", base, "is no path seen from this file", 'write it as "../grocery"')
        )
        return overlay.path.parent
    folder = overlay.path.parent / base
    if folder.suffix == SUFFIX:
        mend = "name the network folder as base, and stack scenarios by name: --scenario a,b"
        findings.append(fault(overlay.source, "base", base, "is a scenario", mend))
    elif not folder.is_dir():
        findings.append(fault(overlay.source, "base", base, "is not a folder", "give it as seen from this file"))
    elif not (folder / FILE).is_file():
        rule, mend = f"is not a network folder (no {FILE})", "name the folder of a network"
        findings.append(fault(overlay.source, "base", base, rule, mend))
    return folder


def _is_scenario(path: Path) -> bool:
    try:
        return path.is_file() and tomllib.loads(path.read_text("utf-8-sig")).keys() <= Content.model_fields.keys()
    except (OSError, ValueError, RecursionError):
        return False
