"""The networks that are measured, and who plans each of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import ROOT

PEERS = ("pyomo-lp", "pyomo-mip", "linopy-lp", "linopy-mip", "highs-ipm", "highs-simplex", "highs-mip")
"""Others, each a process of :mod:`benchmarks.peers`: who states the program, and what HiGHS is asked for."""
OURS = ("whole", "priced")
"""Engines of ``allocator plan``; ``priced-1`` is the priced one with a single worker, where two are usual."""


@dataclass(frozen=True)
class Case:
    """A made-up network (:func:`allocator.generate.generate`), or a folder that ships.

    Attributes
    ----------
    name : str
    items, stores, days : int
        Size of a made-up network; two DCs and a supplier stand behind the stores.
    tight : float
        Share of the capacities that bind.
    seed : int
    folder : Path or None
        A network that is there already; the sizes above are not used then.
    role : str
        Which bars are read off it: ``building``, ``stress``, ``small``, ``large``, ``growth`` or none.
    peers, ours : tuple of str
        From ``PEERS`` and ``OURS``.
    gap, whole_gap : float
        Relative gap to prove: of the priced engine, and of all that solve the program whole.
    limit : float
        Seconds of wall clock of each peer and of the whole engine; one that runs into it is reported as such.
    longer : dict
        Limits of those that get another.
    """

    name: str
    items: int = 0
    stores: int = 0
    days: int = 14
    tight: float = 0.1
    seed: int = 0
    folder: Path | None = None
    role: str = ""
    peers: tuple[str, ...] = ()
    ours: tuple[str, ...] = OURS
    gap: float = 0.005
    whole_gap: float = 0.005
    limit: float = 60.0
    longer: tuple[tuple[str, float], ...] = ()

    def write(self, into: Path) -> Path:
        """Give the network's folder, made in ``into`` when it does not ship."""
        if self.folder is not None:
            return self.folder
        from allocator.generate import generate

        return generate(self.items, self.stores, days=self.days, dcs=2, seed=self.seed, tight=self.tight, out=into)

    def limit_of(self, peer: str) -> float:
        """Seconds that a peer gets."""
        return dict(self.longer).get(peer, self.limit)


def _small(name: str, seed: int, tight: float, peers: tuple[str, ...] = ()) -> Case:
    return Case(
        name, 10, 10, 7, tight, seed, role="small", peers=peers, whole_gap=1e-6, limit=45.0, longer=(("whole", 120.0),)
    )


DEMO = Case("demo: Iowa, 42 items x 42 sites x 14 days", folder=ROOT / "scenarios" / "iowa", ours=("whole",))
BUILDING = Case(
    "100 items x 50 stores x 14 days", 100, 50, role="building", peers=PEERS, limit=75.0, longer=(("whole", 180.0),)
)
"""The case that building and the share outside HiGHS are measured on: 53 sites, 2 channels, a tenth of the capacities tight."""
STRESS = Case(
    "100 items x 50 stores x 14 days, half tight",
    100,
    50,
    tight=0.5,
    role="stress",
    peers=PEERS,
    limit=45.0,
    longer=(("highs-ipm", 420.0), ("priced", 300.0)),
)
LARGE = Case(
    "1,000 items x 50 stores x 14 days",
    1000,
    50,
    role="large",
    peers=("pyomo-lp", "linopy-lp", "highs-ipm", "highs-simplex"),
    ours=("priced", "priced-1"),
    limit=45.0,
    longer=(("priced", 300.0), ("priced-1", 300.0)),
)
FULL = (
    _small("10 items x 10 stores x 7 days", 0, 0.1, PEERS),
    _small("10 items x 10 stores x 7 days, half tight", 0, 0.5),
    _small("10 items x 10 stores x 7 days, other seed", 1, 0.1),
    DEMO,
    BUILDING,
    STRESS,
    LARGE,
)
SCALE = tuple(
    Case(
        f"{items:,} items x 50 stores x 14 days",
        items,
        50,
        role="growth",
        ours=("priced",),
        gap=0.01,
        longer=(("priced", limit),),
    )
    for items, limit in ((2_500, 900.0), (20_000, 3_000.0))
)
"""The same network growing eightfold: a million item-sites at the end."""
QUICK = (
    Case("100 items x 10 stores x 7 days", 100, 10, 7, role="building", ours=("priced",), limit=45.0),
    FULL[0],
)
TINY = (
    Case("4 items x 3 stores x 4 days", 4, 3, 4, role="small", peers=PEERS, whole_gap=1e-6, limit=60.0),
    Case(
        "5 items x 3 stores x 4 days, half tight",
        5,
        3,
        4,
        0.5,
        role="stress",
        peers=("highs-ipm",),
        ours=("priced", "priced-1"),
    ),
)
"""The smallest cases that have every peer and phase, for a smoke test."""
