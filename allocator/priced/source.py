"""What workers read: the coded network as plain array files, mapped into memory rather than copied, and the shards of items."""

from __future__ import annotations

import datetime as dt
import json
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine.rings import rings_possible
from allocator.network.network import Network
from allocator.network.prices import Prices, build_prices
from allocator.network.restrict import restrict
from allocator.priced.blocks import Block, split
from allocator.priced.limits import SharedLimits
from allocator.program.classes import build_classes
from allocator.program.data import build_items
from allocator.program.lift import compile_blocks
from allocator.program.stamp import stamp
from allocator.program.template import Template
from allocator_models.structure import Structure

IntArray = NDArray[np.int64]

CHUNK = 3_000_000
"""Coefficients that are stamped at once (items x entries of their template)."""


@dataclass(frozen=True)
class Source:
    """All that is needed to stamp any item.

    Attributes
    ----------
    network : Network
    structure : Structure
        Of one expiry class, of the whole network: blocks of all shards number the shared resources alike.
    limits : SharedLimits
    chunk : int
        Coefficients that are stamped at once (items x entries of their template).
    """

    network: Network
    structure: Structure
    limits: SharedLimits
    chunk: int = CHUNK

    @cached_property
    def prices(self) -> Prices:
        """Elastic prices of the whole network."""
        return build_prices(self.network)

    @cached_property
    def ringed(self) -> bool:
        """Whether goods could go round in a ring within a day."""
        return rings_possible(self.network)

    @cached_property
    def _templates(self) -> dict[int, Template]:
        return {}

    def template(self, classes: int) -> Template:
        """The compiled block of items with that many expiry classes; compiled once."""
        if classes not in self._templates:
            wanted = sorted({classes, *self._counts})
            for count, template in compile_blocks(lambda n: replace(self.structure, classes=n), wanted):
                self._templates[count] = template
        return self._templates[classes]

    @cached_property
    def _counts(self) -> tuple[int, ...]:
        return tuple(int(n) for n in build_classes(self.network).groups)

    def blocks(self, items: IntArray) -> Iterator[tuple[Block, IntArray]]:
        """Blocks of some items (ascending) with their classes' expiry days, not in the order of ``items``; ``Block.item`` counts in the whole network."""
        part = restrict(self.network, items)
        prices, classes = build_prices(part), build_classes(part)
        for count, members in classes.groups.items():
            template = self.template(count)
            size = max(self.chunk // max(len(template.indices), 1), 1)
            for k in range(0, len(members), size):
                mine = members[k : k + size]
                piece = stamp(template, build_items(part, template.structure, classes, prices, mine))
                span = count * self.structure.buckets
                for block in split(piece, mine, part.quantum[mine], span, self.limits):
                    yield replace(block, item=int(items[block.item])), classes.expiry[block.item]


def write_source(source: Source, folder: Path) -> None:
    """Write a source as ``.npy`` files and one JSON file."""
    folder.mkdir(parents=True, exist_ok=True)
    head: dict[str, Any] = {"chunk": source.chunk}
    lots = replace(source.network.lots, codes=[])
    slim = replace(source.network, lots=lots, items=[""] * len(source.network.items))
    for name in ("structure", "limits"):
        _write(getattr(source, name), name, folder, head)
    _write(slim, "network", folder, head)
    (folder / "source.json").write_text(json.dumps(head), encoding="utf-8")


def read_source(folder: Path) -> Source:
    """Map a source that :func:`write_source` wrote."""
    head = json.loads((folder / "source.json").read_text(encoding="utf-8"))
    return Source(
        _read(Network, "network", folder, head),
        _read(Structure, "structure", folder, head),
        _read(SharedLimits, "limits", folder, head),
        head["chunk"],
    )


def _write(value: Any, path: str, folder: Path, head: dict[str, Any]) -> None:
    if isinstance(value, np.ndarray):
        head[path] = "array"
        np.save(folder / f"{path}.npy", value, allow_pickle=False)
    elif is_dataclass(value):
        head[path] = "part"
        for field in fields(value):
            _write(getattr(value, field.name), f"{path}.{field.name}", folder, head)
    elif isinstance(value, dt.date):
        head[path] = {"date": value.isoformat()}
    elif isinstance(value, dict):
        head[path] = {"pairs": list(value.items())}
    else:
        head[path] = {"value": value}


def _read(kind: Any, path: str, folder: Path, head: dict[str, Any]) -> Any:
    how = head[path]
    if how == "array":
        return np.load(folder / f"{path}.npy", mmap_mode="r" if _big(folder / f"{path}.npy") else None)
    if how == "part":
        owner = _class(kind)
        hints = typing.get_type_hints(owner)
        return owner(**{f.name: _read(hints[f.name], f"{path}.{f.name}", folder, head) for f in fields(owner)})
    if "date" in how:
        return dt.date.fromisoformat(how["date"])
    if "pairs" in how:
        return {int(key): value for key, value in how["pairs"]}
    value = how["value"]
    return [tuple(v) if isinstance(v, list) else v for v in value] if isinstance(value, list) else value


def _big(path: Path) -> bool:
    return path.stat().st_size > 1 << 16


def _class(kind: Any) -> Any:
    """The dataclass of a field, also where it may be None."""
    if isinstance(kind, types.UnionType):
        return next(part for part in typing.get_args(kind) if is_dataclass(part))
    return kind
