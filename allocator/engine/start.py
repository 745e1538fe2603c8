"""What a solved network leaves for others like it to start from, kept as arrays in one file beside its plan.

Columns and rows are matched by what they are (variable, item, place, class, day), so a network with other lots, limits or locks starts from it too.
One with other items, sites, lanes, claims or days does not: it is solved from nothing.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine.problem import Basis, Hint
from allocator.files import replacing
from allocator.network.network import Network
from allocator.program.stack import Program

FloatArray = NDArray[np.float64]

BASIC, AT_LOWER = 1, 0
"""HiGHS's numbers for a basic row, which a row that the other network has not is, and for a column at its lower bound."""
WIDTH = 6


@dataclass(frozen=True)
class Start:
    """A solved program, or the prices of one.

    Attributes
    ----------
    network : str
        What the numbers in the keys stand for (:func:`coding`).
    columns, rows : (n, 6), (m, 6) int
        What each column and row is.
    x : (n,) float
        Its point.
    basis : Basis or None
    prices : dict of str to float
        Of the shared limits, by name. [currency per unit of use]
    """

    network: str = ""
    columns: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, WIDTH), dtype=np.int64))
    rows: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, WIDTH), dtype=np.int64))
    x: FloatArray = field(default_factory=lambda: np.empty(0))
    basis: Basis | None = None
    prices: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, network: Network, program: Program, x: FloatArray, basis: Basis | None) -> Start:
        """What a solved program leaves."""
        return cls(coding(network), _column_keys(program), _row_keys(program), x, basis)

    def hint(self, network: Network, program: Program) -> Hint | None:
        """Where to start a program from; None where the networks are not coded alike or have nothing in common."""
        if not len(self.columns) or self.network != coding(network):
            return None
        column, row = _places(self.columns, _column_keys(program)), _places(self.rows, _row_keys(program))
        if column is None or row is None or not (column >= 0).any():
            return None
        x = np.where(column >= 0, self.x[column], 0.0)
        basis = None
        if self.basis is not None:
            basis = Basis(
                np.where(column >= 0, self.basis.columns[column], AT_LOWER).astype(np.int8),
                np.where(row >= 0, self.basis.rows[row], BASIC).astype(np.int8),
            )
        return Hint(x, basis)


def coding(network: Network) -> str:
    """Hash of what an item's, place's and day's number stands for."""
    claims = network.claims
    facts = [
        network.items,
        network.sites.codes,
        network.lanes.codes,
        network.channels,
        network.zones,
        claims.channel.tolist(),
        claims.zone.tolist(),
        claims.label,
        claims.arc_site.tolist(),
        claims.arc_claim.tolist(),
        network.calendar.length.tolist(),
        network.outlooks.count,
    ]
    return hashlib.sha256(json.dumps(facts, default=list).encode()).hexdigest()


def write_start(start: Start, path: Path) -> None:
    """Keep it in one file, whole or not at all.

    Raises
    ------
    OSError
    """
    head = json.dumps({"network": start.network, "prices": start.prices})
    arrays: dict[str, Any] = {
        "head": np.frombuffer(head.encode(), dtype=np.uint8),
        "columns": start.columns,
        "rows": start.rows,
        "x": start.x,
    }
    if start.basis is not None:
        arrays |= {"basis_columns": start.basis.columns, "basis_rows": start.basis.rows}
    with replacing(path) as fresh, fresh.open("wb") as handle:
        np.savez_compressed(handle, **arrays)


def read_start(path: Path) -> Start | None:
    """Read it back; None where there is none that can be read."""
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as kept:
            head = json.loads(kept["head"].tobytes())
            basis = Basis(kept["basis_columns"], kept["basis_rows"]) if "basis_rows" in kept else None
            return Start(head["network"], kept["columns"], kept["rows"], kept["x"], basis, head["prices"])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _column_keys(program: Program) -> NDArray[np.int64]:
    c, shared = program.columns, program.shared
    own = np.column_stack([c.variable, c.item, c.first, c.cls, c.bucket, c.outlook])
    return np.vstack([own, _shared_keys(shared.variable, shared.key)]).astype(np.int64)


def _row_keys(program: Program) -> NDArray[np.int64]:
    shared = program.shared
    own = np.column_stack([program.row_law, program.row_item, program.row_place])
    # a use row is known by the shared column that it defines
    uses = _shared_keys(shared.variable, shared.key)[shared.linked]
    uses[:, -1] = 1
    # of several outlooks' rows of one law and place: which, in their order
    outlook = pd.DataFrame(own).groupby([0, 1, 2]).cumcount().to_numpy()
    own = np.hstack([own, outlook[:, None], np.zeros((len(own), WIDTH - 4), dtype=np.int64)])
    return np.vstack([own, uses, _shared_keys(shared.law, shared.row_key)]).astype(np.int64)


def _shared_keys(names: list[str], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keys of shared rows and columns: below all others, a number for the name that does not depend on the network."""
    numbers = {name: -3 - int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) for name in set(names)}
    number = np.array([numbers[name] for name in names], dtype=np.int64)
    return np.column_stack([number, keys, np.zeros((len(keys), WIDTH - 4), dtype=np.int64)])


def _places(old: NDArray[np.int64], new: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Where each new key stands among the old ones, -1 where it does not; None when keys are not unique."""
    known = pd.MultiIndex.from_arrays(list(old.T))
    if not known.is_unique:
        return None
    return np.asarray(known.get_indexer(pd.MultiIndex.from_arrays(list(new.T))), dtype=np.int64)
