"""From a network and demand to a backtest: which plays, in which order, what they come to."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pandas.util import hash_pandas_object

from allocator.backtest.demand import told
from allocator.backtest.ground import build_ground
from allocator.backtest.player import Setting
from allocator.backtest.policies import BOUND, POLICIES
from allocator.backtest.result import BACKTEST, PLAYS, RULES, Backtest, headline, late_notes, tables_of, title_of
from allocator.backtest.running import Job, Keep, run_plays
from allocator.backtest.samples import LEVEL, blocks_of
from allocator.history import History, read_history
from allocator.plan.publish import held
from allocator.tables import Tables
from allocator.tables.notes import BEHIND

DEFAULT = ("outlooks", "mean", "fcfs", *RULES, BOUND)
Tell = Callable[[str, dict[str, Any]], None]


def backtest(
    tables: Tables,
    setting: Setting,
    *,
    policies: Sequence[str] = DEFAULT,
    base: str | None = None,
    replications: int = 10,
    workers: int = 1,
    cancel_cost: float | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    tell: Tell | None = None,
) -> Backtest:
    """Play policies day by day on the same demand.

    Parameters
    ----------
    tables : Tables
        From :func:`allocator.read`.
    setting : Setting
        Days, days between plans, outlooks, seed, gap, and the history where demand is not drawn.
    policies : sequence of str
        Names of `POLICIES`, and ``bound``.
    base : str, optional
        Policy that the others are compared with; the first by default.
    replications : int
        Paths drawn; 1 with a history.
    workers : int
        Processes.
    cancel_cost : float, optional
        Cost of cancelling an accepted unit, instead of the price table's. [currency per unit]
    out : str or Path, optional
        Folder to publish; plays are kept in it as they finish.
    resume : bool
        Take the plays that are kept there for the same input and setting.
    tell : callable, optional
        ``tell(event, facts)``: ``plays`` (how many), ``play`` when one is finished.

    Returns
    -------
    Backtest

    Raises
    ------
    ValueError
        For an unknown policy, a base that is not played, or demand that can't be played.
    allocator.tables.InputError
        For a broken history.
    PlayFailedError, OutputHeldError, NotAPlanError, OSError
    """
    chosen = _chosen(policies, base)
    if cancel_cost is not None:
        tables = tables.replace(prices=tables.frame("prices").assign(cancel_cost=float(cancel_cost)))
    history = None
    if setting.history is not None:
        history = read_history(Path(setting.history), setting.columns, setting.channel)
        if replications != 1:
            raise ValueError(
                f"a history is one path of demand: it can't be played {replications} times; weeks are its samples"
            )
    given = (tables, setting, history, chosen, base or chosen[0], replications, workers, resume, tell or _silent)
    if out is None:
        return _played(*given, folder=None)
    with held(Path(out), BACKTEST):
        made = _played(*given, folder=Path(out) / PLAYS)
        made.publish(Path(out))
    return made


def _chosen(policies: Sequence[str], base: str | None) -> list[str]:
    known = (*POLICIES, BOUND)
    for name in policies:
        if name not in known:
            raise ValueError(f"'{name}' is not a policy; they are {', '.join(known)}")
    chosen = list(dict.fromkeys(policies))
    if not [name for name in chosen if name != BOUND]:
        raise ValueError("give at least one policy beside the bound")
    if (base or chosen[0]) == BOUND or (base is not None and base not in chosen):
        raise ValueError(f"the base '{base or chosen[0]}' is not a policy that is played; they are {', '.join(chosen)}")
    return chosen


def _silent(event: str, facts: dict[str, Any]) -> None:
    """Tell nobody."""


def _played(
    tables: Tables,
    setting: Setting,
    history: History | None,
    policies: list[str],
    base: str,
    replications: int,
    workers: int,
    resume: bool,
    tell: Tell,
    folder: Path | None,
) -> Backtest:
    began = time.monotonic()
    notes = _notes(tables, setting, history)
    key = _key(tables, setting, history)
    keep = Keep(None if folder is None else folder / key, resume)
    wanted: list[Job] = [(name, r) for r in range(replications) for name in policies]
    missing = [job for job in wanted if job not in keep.plays]
    tell("plays", {"plays": len(wanted), "kept": len(wanted) - len(missing)})
    if missing:
        run_plays(tables, setting, history, missing, workers, keep, tell)
    facts = {
        "backtest_id": key,
        "network": tables.settings.name,
        "currency": tables.settings.currency,
        "start": tables.settings.start.isoformat(),
        "input_hash": tables.input_hash,
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "demand": "history" if history is not None else "drawn",
        "base": base,
        "policies": {name: title_of(name) for name in policies},
        "replications": replications,
        "setting": setting.answering,
        "confidence": LEVEL,
        "samples": _samples(setting, history, replications),
        "seconds": round(time.monotonic() - began, 3),
        "headline": headline(keep.plays, policies, replications),
        "notes": notes + late_notes(keep.plays, policies, replications),
    }
    return Backtest(tables_of(keep.plays, policies, base, replications), facts)


def _samples(setting: Setting, history: History | None, replications: int) -> str:
    """What the intervals rest on, in words."""
    if history is None:
        return f"{replications} independent paths of demand"
    count = len(blocks_of(setting.days, True))
    return f"{count} blocks of a week of one real history, taken as independent: weeks that are alike make the intervals too narrow"


def _notes(tables: Tables, setting: Setting, history: History | None) -> list[str]:
    """What a reader should know; also finds at once what can't be played."""
    ground = build_ground(tables, setting.days)
    # what is after the horizon of one plan is seen by later ones
    notes = [*(note for note in tables.notes if BEHIND not in note), *ground.behind]
    if ground.ends is None:
        notes.append("the forecasts' last week repeats to cover the days played")
    if history is not None:
        notes += [*history.notes, *told(ground, history)[1]]
        if len(tables.frame("orders")):
            notes.append("the network's own firm orders are left out: the history holds all demand")
        notes.append("the forecasts are the network's own: make them from what was known before its start")
    return notes


def _key(tables: Tables, setting: Setting, history: History | None) -> str:
    """Hash of everything that a play depends on."""
    lines = None if history is None else int(hash_pandas_object(history.frame.astype(str), index=False).sum())
    facts = {
        "input": tables.input_hash,
        "setting": setting.answering,
        "history": lines,
        "versions": [importlib.metadata.version(name) for name in ("inventory-allocator", "highspy")],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
