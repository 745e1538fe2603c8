"""Inventory allocation over sites, channels and lots, with a proven gap.

>>> import allocator
>>> network = allocator.read("scenarios/iowa")
>>> plan = allocator.solve(network)
>>> plan.shipments, plan.kpis, plan.explain("10006", "2501")
>>> plan.write("out/plan")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from allocator.comparison import Comparison
    from allocator.plan.plan import Plan
    from allocator.tables import Tables

__version__ = "0.1.0"
__all__ = ["compare", "read", "read_plan", "solve"]


def read(path: str | Path, *, scenario: str | Iterable[str] = (), quarantine: bool = False) -> Tables:
    """Read and check a network folder.

    Parameters
    ----------
    path : str or Path
        A folder with ``network.toml`` and one ``.parquet`` or ``.csv`` file a table, or a scenario file with its base.
    scenario : str or iterable of str
        Scenarios to lay on it, by name or path: ``"promo,dc-out"`` (docs/scenarios.md).
    quarantine : bool
        Set bad rows aside instead of refusing them; they are in ``.quarantined``.

    Raises
    ------
    allocator.tables.InputError
        With every broken row in ``.findings``.
    """
    from allocator.scenario import read as read_network

    return read_network(path, scenario, quarantine)


def solve(network: Tables, **options: Any) -> Plan:
    """Plan a network.

    Parameters
    ----------
    network : Tables
        From :func:`read`.
    **options
        Fields of :class:`allocator.run.Options`: engine, gap, deadline (seconds), rule.

    Returns
    -------
    Plan
        ``plan.shipments`` and the other tables are DataFrames; ``plan.write(path)`` publishes the folder.
    """
    from allocator.run import Options
    from allocator.run import solve as run

    return run(network, Options(**options))


def compare(cases: Sequence[Any], out: str | Path | None = None, **options: Any) -> Comparison:
    """Compare plans, networks and scenarios; the first is the base of every difference.

    Parameters
    ----------
    cases : sequence
        Plan folders, network folders and scenario files, or what :func:`read_plan`, :func:`solve` and :func:`read` gave.
    out : str or Path, optional
        Folder to publish; plans run are kept in it and reused.
    **options
        ``scenario=["promo", "promo,dc-out"]`` lays a case each on the one network given, ``workers=2`` runs at a time,
        and the options of :func:`solve`.

    Raises
    ------
    allocator.tables.InputError
        With every fault of every case, before anything is planned.
    """
    from allocator.comparison import compare as run

    return run(cases, out, **options)


def read_plan(path: str | Path) -> Plan:
    """Read a plan folder back.

    Raises
    ------
    FileNotFoundError
        When the folder is not a plan.
    """
    from allocator.plan.plan import read_plan as read_folder

    return read_folder(path)
