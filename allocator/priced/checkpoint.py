"""What a run keeps after every round, so that another can go on from there."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.files import replacing

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Kept:
    """One round.

    Attributes
    ----------
    phase : str
        ``sample`` or ``all``.
    price : (R,) float
    shards : (k,) int
        Those that answered.
    bound, cost : (k,) float
    use : (k, R) float
    """

    phase: str
    price: FloatArray
    shards: IntArray
    bound: FloatArray
    cost: FloatArray
    use: FloatArray


class Checkpoint:
    """A folder with a file for each round; ``folder`` None keeps nothing.

    Parameters
    ----------
    folder : Path or None
    plan_id : str
        Rounds of another input or other options are of no use and are removed.
    """

    def __init__(self, folder: Path | None, plan_id: str, resume: bool = False) -> None:
        self.folder = folder
        self._next = 0
        self.kept: list[Kept] = []
        if folder is None:
            return
        if resume and _owner(folder) == plan_id:
            self.kept = _read(folder)
            self._next = len(self.kept)
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "checkpoint.json").write_text(json.dumps({"plan_id": plan_id}), encoding="utf-8")

    def keep(self, found: Kept) -> None:
        """Write a round; a file is there whole or not at all."""
        if self.folder is None:
            return
        path = self.folder / f"round-{self._next:04d}.npz"
        with replacing(path) as fresh, fresh.open("wb") as stream:
            arrays: dict[str, Any] = {n: getattr(found, n) for n in ("price", "shards", "bound", "cost", "use")}
            np.savez_compressed(stream, phase=np.array(found.phase), **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        self._next += 1


def _owner(folder: Path) -> str | None:
    try:
        return str(json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))["plan_id"])
    except (OSError, ValueError, KeyError):
        return None


def _read(folder: Path) -> list[Kept]:
    kept = []
    for path in sorted(folder.glob("round-*.npz")):
        with np.load(path, allow_pickle=False) as found:
            kept.append(
                Kept(str(found["phase"]), found["price"], found["shards"], found["bound"], found["cost"], found["use"])
            )
    return kept
