"""Quantile forecasts from sales history alone (extra ``[forecast]``). Start at `forecast_history`."""

from allocator.forecast.evaluating import evaluate
from allocator.forecast.levels import LibraryMissingError
from allocator.forecast.making import Forecast, forecast_history

__all__ = ["Forecast", "LibraryMissingError", "evaluate", "forecast_history"]
