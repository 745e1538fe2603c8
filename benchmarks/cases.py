"""The networks that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import ROOT


@dataclass(frozen=True)
class Case:
    """A made-up network (:func:`allocator.generate.generate`), or a folder that ships.

    Attributes
    ----------
    name : str
    items, stores, days : int
        Size of a made-up network; two DCs and a supplier stand behind the stores.
    folder : Path or None
        A network that is there already; the sizes above are not used then.
    plan : bool
        Plan it from end to end, too.
    """

    name: str
    items: int = 0
    stores: int = 0
    days: int = 14
    folder: Path | None = None
    plan: bool = True

    def write(self, into: Path) -> Path:
        """Give the network's folder, made in ``into`` when it does not ship."""
        if self.folder is not None:
            return self.folder
        from allocator.generate import generate

        return generate(self.items, self.stores, days=self.days, dcs=2, seed=0, out=into)


BAR = Case("100 items x 50 stores x 14 days", 100, 50)
"""The case the bars of building and of the whole process are measured on: 53 sites, 2 channels, a tenth of the capacities tight."""
DEMO = Case("demo: Iowa, 42 items x 42 sites x 14 days", folder=ROOT / "scenarios" / "iowa")
FULL = (DEMO, BAR)
QUICK = (
    Case("100 items x 10 stores x 7 days", 100, 10, 7, plan=False),
    Case("10 items x 10 stores x 7 days", 10, 10, 7),
)


def tiny() -> tuple[Case, ...]:
    """Give the smallest case that has every phase, for a smoke test."""
    return (Case("4 items x 3 stores x 4 days", 4, 3, 4),)
