"""How much a series will sell in the seasons to come: the plain mean, and the methods of statsforecast."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.forecast.seasons import FloatArray

PLAIN = "mean"
"""The weighted mean of the seasons, the younger the heavier; needs no library."""
LEAST = 8
"""[seasons] A shorter series is forecast by its mean."""
WIDEST = 4.0
"""A method may go so far above or below the mean of its series, in which all seasons have a say."""
_SMOOTHING = 0.1
OFTEN, SELDOM = ("smooth", "erratic"), ("intermittent", "lumpy")


class LibraryMissingError(RuntimeError):
    """The library of the extra ``[forecast]`` is not installed."""


@dataclass(frozen=True)
class Method:
    """One method of the library: where it is tried, and how it is made."""

    classes: tuple[str, ...]
    make: Callable[[Any], Any]


METHODS: Mapping[str, Method] = {
    "AutoETS": Method(OFTEN, lambda models: models.AutoETS(season_length=1, model="ZZN")),
    "SES": Method((*OFTEN, *SELDOM), lambda models: models.SimpleExponentialSmoothingOptimized()),
    "CrostonSBA": Method(SELDOM, lambda models: models.CrostonSBA()),
    "TSB": Method(SELDOM, lambda models: models.TSB(_SMOOTHING, _SMOOTHING)),
    "ADIDA": Method(SELDOM, lambda models: models.ADIDA()),
    "IMAPA": Method(SELDOM, lambda models: models.IMAPA()),
}
"""Methods that are tried beside the plain mean, by class of series."""


def candidates(kind: str) -> list[str]:
    """Names of the methods that are tried on a class of series, the plain mean first."""
    return [PLAIN, *(name for name, method in METHODS.items() if kind in method.classes)]


def library() -> Any:
    """Import the models of statsforecast.

    Raises
    ------
    LibraryMissingError
        When it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from statsforecast import models
    except ImportError as error:
        raise LibraryMissingError(
            f"forecasting needs statsforecast ({error}); install it: pip install 'inventory-allocator[forecast]'"
        ) from None
    return models


def predict(name: str, totals: FloatArray, begun: NDArray[np.int64], ahead: int) -> FloatArray:
    """Forecast the coming seasons of n series by one method of the library.

    Parameters
    ----------
    name : str
        Of `METHODS`.
    totals : (n, w) float
        [units/season]
    begun : (n,) int
        First season of each series.
    ahead : int
        Number of seasons to come.

    Returns
    -------
    (n, ahead) float
        NaN where a series is too short, or the method gives no figure. [units/season]
    """
    models, make = library(), METHODS[name].make
    out = np.full((len(totals), ahead), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row, first in enumerate(begun):
            past = totals[row, first:]
            if len(past) < LEAST or not past.any():
                continue
            try:
                out[row] = make(models).forecast(y=past, h=ahead)["mean"]
            except (NotImplementedError, ValueError, FloatingPointError, ZeroDivisionError):
                continue  # the method declines this series: its mean stands
    return out


def held(found: FloatArray, plain: FloatArray) -> FloatArray:
    """Fill what a method didn't give with the mean, and hold it within reach of it: (n, ahead) and (n,) to (n, ahead)."""
    steady = np.repeat(plain[:, None], found.shape[1], axis=1)
    bounded = np.clip(found, steady / WIDEST, steady * WIDEST)
    return np.asarray(np.where(np.isfinite(found), bounded, steady))
