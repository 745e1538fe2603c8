"""``allocator doctor``."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click

NEEDED = {
    "python": ((3, 11), (3, 14)), "pyomo": ((6, 9, 3), (7,)), "highspy": ((1, 15, 1), (2,)), "pandas": ((2, 2, 3), (4,)),
    "numpy": ((2, 1), (3,)), "scipy": ((1, 14, 1), (2,)), "pyarrow": ((18,), (30,)), "click": ((8, 1, 8), (9,)), "rich": ((13, 9), (17,)),
    "pydantic": ((2, 10), (3,)), "jinja2": ((3, 1, 5), (4,)),
}  # fmt: skip
"""Lowest version, and the first that is too new, as pyproject.toml states them."""
MEMORY = 1 << 30
"""Memory below which even small networks may not be planned. [bytes]"""

Finding = tuple[str, bool, str]
"""What was looked at, whether it is good, and what was found or how to mend it."""


@click.command("doctor")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder in which plans will be published. Default: here.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(output: Path, as_json: bool) -> None:
    """Check this installation: versions, the solver on a problem of known answer, memory, and whether plans can be written.

    Exit code 0 when a plan can be made here, 1 otherwise; each line that begins with "bad" says what to do.
    """
    findings = list(examine(output))
    good = all(fine for _, fine, _ in findings)
    if as_json:
        rows = [{"check": name, "ok": fine, "found": found} for name, fine, found in findings]
        click.echo(json.dumps({"ok": good, "checks": rows}, indent=1))
    else:
        for name, fine, found in findings:
            click.echo(f"{'good' if fine else 'bad ':<5}{name:<11}{found}")
    raise click.exceptions.Exit(0 if good else 1)


def examine(output: Path) -> Iterator[Finding]:
    """Look at everything a run needs."""
    yield from versions()
    yield _tried("solver", _solver)
    yield _memory()
    yield _tried("output", lambda: _writing(output))
    yield _tried("scratch", lambda: _writing(Path(tempfile.gettempdir())))
    yield _tried("cache", _cache)


def versions() -> Iterator[Finding]:
    """Each package's version against what pyproject.toml allows."""
    from importlib.metadata import PackageNotFoundError, version

    for name, (least, beyond) in NEEDED.items():
        try:
            found = ".".join(map(str, sys.version_info[:3])) if name == "python" else version(name)
        except PackageNotFoundError:
            yield name, False, "not installed; install inventory-allocator again"
            continue
        fits = least <= numbers(found) < beyond
        low, high = (".".join(map(str, bound)) for bound in (least, beyond))
        yield name, fits, found if fits else f"{found}, needed is {low} or later, below {high}; install that"


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading whole numbers of a version: ``1.15.1rc1`` is 1, 15, 1."""
    found = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
    return tuple(found)


def _tried(name: str, look: Callable[[], str]) -> Finding:
    try:
        return name, True, look()
    except Exception as error:
        return name, False, str(error).splitlines()[0] if str(error) else type(error).__name__


def _solver() -> str:
    """The solver's process, as a run starts it: its self-test, and a problem of known answer."""
    import numpy as np

    from allocator.engine.problem import Limits, Problem, SolverError
    from allocator.engine.process import Solver

    one = np.ones(1)
    problem = Problem(
        one, 0 * one, 9 * one, one > 0, np.array([0, 1]), np.array([0]), 2 * one, 5 * one, np.inf * one
    )  # min x, 2x >= 5, x whole
    with Solver() as solver:
        answer = solver.solve(problem, Limits(seconds=60))
    if answer.x is None or abs(answer.x[0] - 3) > 1e-6:
        raise SolverError("the solver answers wrongly; install highspy 1.15.1 or later")
    return "starts, and is right on two problems of known answer"


def _memory() -> Finding:
    from allocator.memory import available

    room = available()
    if room is None:
        return "memory", True, "not known on this system"
    good = room >= MEMORY
    found = f"{room / 2**30:.1f} GB free for this process, {os.cpu_count()} cores"
    return "memory", good, found if good else f"{found}; give it 1 GB or more"


def _writing(folder: Path) -> str:
    """Publish two tiny folders over one another, as a plan is."""
    from allocator.plan.publish import publish, staging

    existing = folder.resolve()
    while not existing.exists():
        existing = existing.parent
    with tempfile.TemporaryDirectory(prefix=".allocator-doctor-", dir=existing) as scratch:
        target = Path(scratch) / "plan"
        for _ in range(2):
            with staging(target) as fresh:
                publish(fresh, target, {"plan_id": "doctor"})
    free = os.statvfs(existing).f_bavail * os.statvfs(existing).f_frsize
    return f"{existing}: writes, syncs and swaps folders, {free / 2**30:.1f} GB free"


def _cache() -> str:
    from allocator.program.cache import place

    folder = place()
    if folder is None:
        return "switched off by ALLOCATOR_CACHE: each run compiles its blocks"
    return f"{folder}: {'there' if folder.is_dir() else 'made by the first run that can'}"
