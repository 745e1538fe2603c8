"""The order book: accepted orders that are not yet filled."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Order:
    """An accepted order, as far as it is open.

    Attributes
    ----------
    item, channel, zone : int
    due : int
        Day it was asked for.
    open : float
        Not yet served. [units]
    site : int
        Where it was accepted; -1 before the day it is due.
    limit : int
        Last day it may be served on.
    number : int
        Order of acceptance.
    """

    item: int
    channel: int
    zone: int
    due: int
    open: float
    site: int
    limit: int
    number: int
