"""Policies side by side, day by day, on demand that was or might be. Start at `backtest`."""

import allocator.light  # noqa: F401
from allocator.backtest.backtesting import DEFAULT, backtest
from allocator.backtest.player import Setting
from allocator.backtest.policies import BOUND, POLICIES
from allocator.backtest.result import Backtest
from allocator.backtest.running import PlayFailedError

__all__ = ["BOUND", "DEFAULT", "POLICIES", "Backtest", "PlayFailedError", "Setting", "backtest"]
