"""One process's part of a backtest: its ground, its solver, and the plays it is asked for."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path as FilePath
from types import TracebackType
from typing import Any

from allocator.backtest.bound import clairvoyant_bound
from allocator.backtest.demand import drawn, known_orders, no_orders, told
from allocator.backtest.ground import build_ground
from allocator.backtest.play import Path, play
from allocator.backtest.policies import BOUND, POLICIES, Desk, Policy
from allocator.backtest.samples import Sample, sample_of
from allocator.backtest.view import Lens
from allocator.engine.process import Solver
from allocator.history import History, read_history
from allocator.tables import Tables


@dataclass(frozen=True)
class Setting:
    """How a backtest is played.

    Attributes
    ----------
    days : int
    every : int
        Days between plans.
    outlooks : int
        Demand paths that hedging policies plan against.
    alike : int or None
        Days whose shipments a hedging plan decides alike for all outlooks, though it plans anew before most of them leave;
        None: one more than goods need by the longest way to a customer (`allocator.backtest.ground.Ground.longest_way`).
    seed : int
    gap : float
        Relative gap of each plan.
    seconds : float
        Most wall clock of one plan's solver; then its best plan so far is played. [s]
    history : str or None
        File of sales lines; None: demand is drawn.
    columns, channel
        How the file is read (`allocator.history.read_history`).
    """

    days: int
    every: int = 1
    outlooks: int = 20
    alike: int | None = None
    seed: int = 0
    gap: float = 0.01
    seconds: float = 60.0
    history: str | None = None
    columns: dict[str, str] | None = None
    channel: str | None = None

    @property
    def answering(self) -> dict[str, Any]:
        """What a play depends on, beside the network and the history's lines."""
        return {name: value for name, value in asdict(self).items() if name not in ("history", "columns", "channel")}


class Player:
    """Plays policies on paths; a context manager that owns a solver."""

    def __init__(self, tables: Tables, setting: Setting, history: History | None = None) -> None:
        self.setting = setting
        self.ground = build_ground(tables, setting.days)
        self.way = self.ground.longest_way
        self.alike = self.way + 1 if setting.alike is None else setting.alike
        self.history = history
        if history is None and setting.history is not None:
            self.history = read_history(FilePath(setting.history), setting.columns, setting.channel)
        self.solver = Solver()
        self.desk = Desk(self.ground, setting.every, setting.gap, setting.seconds, self.solver)
        self._path: tuple[int, Path] | None = None

    def __enter__(self) -> Player:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.solver.close()

    def path(self, replication: int) -> Path:
        """Demand of a replication: the same for all policies."""
        if self._path is None or self._path[0] != replication:
            self._path = (replication, self._drawn(replication))
        return self._path[1]

    def _drawn(self, replication: int) -> Path:
        if self.history is not None:
            return Path(told(self.ground, self.history)[0], no_orders())
        firm = known_orders(self.ground)
        return Path(drawn(self.ground, firm, self.setting.seed, replication), firm)

    def lens(self, policy: Policy, replication: int) -> Lens:
        """How a policy plans in a replication."""
        outlooks, alike = (self.setting.outlooks, self.alike) if policy.hedges else (1, 1)
        return Lens(outlooks, self.setting.seed + replication, self.setting.every, alike, self.way)

    def play(self, policy: str, replication: int) -> dict[str, Any]:
        """Play one policy on one path.

        Returns
        -------
        dict
            policy, replication, seconds, sample (`allocator.backtest.samples.Sample`), late (plans that the rules engine stood in for).
        """
        began = time.monotonic()
        path = self.path(replication)
        weekly, late = self.history is not None, 0
        if policy == BOUND:
            bound = clairvoyant_bound(self.ground, path, self.solver, self.setting.gap, self.setting.seconds)
            sample: Sample = {"margin|network": ([bound], [1.0])}
        else:
            chosen = POLICIES[policy]
            tally = play(self.desk, chosen, path, self.lens(chosen, replication))
            late = tally.late
            sample = sample_of(tally, self.ground.network.channels, weekly)
        return {
            "policy": policy,
            "replication": replication,
            "seconds": round(time.monotonic() - began, 3),
            "late": late,
            "sample": sample,
        }
