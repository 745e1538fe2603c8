"""Every published instance that the tables can state; `python -m tests.published.convert NAME DIR` writes one."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from tests.published.design import canad, fcnet
from tests.published.folder import Folder
from tests.published.location import orlib_cap
from tests.published.stock import steel, wagner_whitin, whouse
from tests.published.transport import fctp, multi, net1, transp, trnsport

HERE = Path(__file__).parent
DATA = HERE / "data"
SHARED = HERE.parents[2] / "shared" / "data"  # sets that may not be copied into the project

QUICK = {
    "cap71", "cap44", "bk4x3", "gr4x6", "sp50x100", "l61x114", "multmip1", "net1", "net1-cut", "steelT", "trnsport",
    "whouse", "example_3_9", "r01.1", "r01.7",
}  # fmt: skip


@dataclass(frozen=True)
class Instance:
    """A published instance and its answer.

    Parameters
    ----------
    name, family : str
    optimum : float or None
        The published or proven least cost; None where the published model is infeasible.
    source : Path
        File or folder it is read from.
    build : callable
        Gives the network folder.
    """

    name: str
    family: str
    optimum: float | None
    source: Path
    build: Callable[[], Folder]

    @property
    def quick(self) -> bool:
        """Whether it is run by default."""
        return self.name in QUICK


def _listed(root: Path, column: str, suffix: str, state: Callable[[Path], Folder]) -> Iterator[Instance]:
    """Read the instances of a set whose optima stand in one table."""
    if not (root / "optima.csv").exists():
        return
    for row in pd.read_csv(root / "optima.csv", dtype={"instance": str}).to_dict("records"):
        path = root / f"{row['instance']}{suffix}"
        optimum = None if pd.isna(row[column]) else float(row[column])
        yield Instance(str(row["instance"]), root.parent.name, optimum, path, partial(state, path))


def _ampl(root: Path) -> Iterator[Instance]:
    """Read the AMPL book's models."""
    read = {path.stem: json.loads(path.read_text()) for path in sorted(root.glob("*.json"))}
    variants = read["multi"]["variants"]
    cases: list[tuple[str, float | None, str, Callable[[], Folder]]] = [
        ("transp", read["transp"]["optimum_transp"], "transp", partial(transp, read["transp"])),
        ("multi", variants["multi"]["optimum"], "multi", partial(multi, read["multi"], fixed=False)),
        ("multmip1", variants["multmip1"]["optimum"], "multi", partial(multi, read["multi"], fixed=True)),
        ("net1", read["net1"]["optimum"], "net1", partial(net1, read["net1"])),
        ("net1-cut", None, "net1", partial(net1, read["net1"], cut=40)),
        ("steelT", -read["steelT"]["steelT"]["optimum_max_profit"], "steelT", partial(steel, read["steelT"])),
    ]
    for name, optimum, stem, build in cases:
        yield Instance(name, "ampl_book", optimum, root / f"{stem}.json", build)


def _textbook(root: Path) -> Iterator[Instance]:
    """Read Dantzig's and Wagner and Whitin's examples."""
    for name, state in (("trnsport", trnsport), ("whouse", whouse)):
        path = root / f"{name}.json"
        yield Instance(name, "textbook_small", json.loads(path.read_text())["optimum"], path, partial(state, path))
    path = root / "wagner_whitin.json"
    for name, data in json.loads(path.read_text())["instances"].items():
        yield Instance(name, "textbook_small", data["optimum"], path, partial(wagner_whitin, name, data))


def instances() -> list[Instance]:
    """List every instance that is here; `canad_r` only where `../shared/data` is."""
    return [
        *_listed(DATA / "orlib_cap" / "data", "published_optimum", ".txt", orlib_cap),
        *_listed(DATA / "fctp" / "data", "published_optimum", "", fctp),
        *_listed(DATA / "fcnet" / "data", "published_optimum", "", fcnet),
        *_ampl(DATA / "ampl_book"),
        *_textbook(DATA / "textbook_small"),
        *_listed(SHARED / "canad_r" / "data", "highs_proven_optimum", ".ndp", canad),
    ]


if __name__ == "__main__":
    wanted, target = sys.argv[1], Path(sys.argv[2])
    chosen = [instance for instance in instances() if wanted in (instance.name, "all")]
    if not chosen:
        sys.exit(f"no instance is called {wanted}; there are: {', '.join(i.name for i in instances())}")
    for instance in chosen:
        instance.build().write(target / instance.name if wanted == "all" else target)
