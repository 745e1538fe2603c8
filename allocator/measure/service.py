"""How demand was met: served on its day, served late, waiting or lost; and where a site was out of stock for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from allocator.measure.days import Days, Floats, Whole, per_bucket
from allocator.measure.demand import Asked, Claims, Wanted, distinct, found, spelled
from allocator.measure.moves import Coded, Run

if TYPE_CHECKING:
    from allocator.tables import Tables

SMALL = 1e-6  # quantities below this are solver dust
SUMS = ("asked", "served", "late", "lost", "waiting")


@dataclass(frozen=True)
class Service:
    """What became of every claim in every bucket; all grids are (K, B) in units.

    Attributes
    ----------
    asked : Asked
        The claims and their demand.
    served, late, lost, backlog : (K, B) float, [units]
        Units served in the bucket, those among them asked for in an earlier bucket, units given up in the bucket, and
        units asked for but neither served nor given up at its end.
    """

    asked: Asked
    served: Floats
    late: Floats
    lost: Floats
    backlog: Floats

    def by(self, column: str | None) -> pd.DataFrame:
        """Sum over the horizon: columns asked, served, late, lost, waiting, by a claims column or in total."""
        fate = Fate(self.asked.quantity, self.served, self.late, self.lost, self.backlog)
        sums = pd.DataFrame(fate.sums())
        if column is None:
            return sums.sum().to_frame().T
        return sums.groupby(self.asked.claims[column].to_numpy(), sort=True).sum()


@dataclass(frozen=True)
class Fate:
    """What became of K claims; all (K, B), [units]."""

    asked: Floats
    served: Floats
    late: Floats
    lost: Floats
    backlog: Floats

    def sums(self) -> dict[str, Floats]:
        """Sum each claim over the horizon; `waiting` is what is open at its end."""
        end = self.backlog[:, -1] if self.backlog.shape[1] else np.zeros(len(self.backlog))
        grids = zip(SUMS[:-1], (self.asked, self.served, self.late, self.lost), strict=True)
        return {name: grid.sum(axis=1) for name, grid in grids} | {"waiting": end}


def meet(wanted: Wanted, run: Run) -> Fate:
    """Match a run's admissions and unmet demand to the claims they belong to, oldest demand first."""
    shape = wanted.quantity.shape
    sold, gone = run.admissions, run.lost
    served = per_bucket(wanted.rows(sold.claim), sold.bucket, sold.quantity, shape)
    lost = per_bucket(wanted.rows(gone.claim), gone.bucket, gone.quantity, shape)
    closing = np.cumsum(wanted.quantity - served - lost, axis=1)
    closing = np.where(closing > SMALL, closing, 0.0)
    opening = np.concatenate([np.zeros((shape[0], 1)), closing[:, :-1]], axis=1)
    return Fate(wanted.quantity, served, np.minimum(served, opening), lost, closing)


def serve(tables: Tables, plan: Mapping[str, pd.DataFrame], days: Days) -> Service:
    """Match all admissions and unmet demand to the claims they belong to, oldest demand first."""
    claims = Claims(tables, days)
    wanted = claims.between(0, len(claims.items))
    demand = {name: plan[name] for name in ("admissions", "unmet")}
    fate = meet(wanted, Coded(tables, demand, days, claims).between(0, len(claims.items)))
    return Service(spelled(claims, wanted), fate.served, fate.late, fate.lost, fate.backlog)


@dataclass(frozen=True)
class Shelves:
    """Stock and demand of P pairs of item and site that keep or serve it; all grids are (P, B).

    Attributes
    ----------
    item, site : (P,) int
        Item (counted from the run's first) and site.
    stock, waste, arrived : (P, B) float, [units]
        Closing usable stock, waste booked, and shipments and receipts that came in.
    wanted, out : (P, B) bool
        Days on which a zone the site may serve asked for the item, and those among them on which the site ended empty
        while some of that demand stayed unserved.
    """

    item: Whole
    site: Whole
    stock: Floats
    waste: Floats
    arrived: Floats
    wanted: NDArray[np.bool_]
    out: NDArray[np.bool_]


def shelves(coded: Coded, run: Run, wanted: Wanted, fate: Fate) -> Shelves:
    """Lay closing stock beside the demand that each site could have served."""
    claim_of, serving = coded.serving(wanted)
    sites, shown, ships, outside = max(len(coded.sites), 1), run.projections, run.shipments, run.outside
    served_at, shown_at = wanted.item[claim_of] * sites + serving, _pair(shown.item, shown.site, sites)
    places = np.unique(np.concatenate([distinct(shown_at)[0], distinct(served_at)[0]]))
    places = places[places >= 0]
    shape = (len(places), coded.days.count)
    where = found(places, shown_at)
    stock = per_bucket(where, shown.bucket, shown.stock, shape)
    waste = per_bucket(where, shown.bucket, shown.waste, shape)
    came = per_bucket(found(places, _pair(ships.item, ships.destination, sites)), ships.arrive, ships.quantity, shape)
    came += per_bucket(found(places, _pair(outside.item, outside.site, sites)), outside.bucket, outside.quantity, shape)
    reach = sparse.csr_array(
        (np.ones(len(claim_of)), (found(places, served_at), claim_of)), shape=(len(places), len(wanted.key))
    )
    item, site = np.divmod(places, sites)
    carried = found(coded.refused, (item + run.first) * sites + site) < 0
    asks = ((reach @ fate.asked) > SMALL) & carried[:, None]
    missed = (reach @ (fate.lost + fate.backlog)) > SMALL
    return Shelves(item, site, stock, waste, came, asks, asks & missed & (stock <= SMALL))


def _pair(item: Whole, site: Whole, sites: int) -> Whole:
    return np.where(site < 0, -1, item * sites + site)


def cycles(shelf: Shelves) -> tuple[Floats, Floats]:
    """Count replenishment cycles with demand, and those in which the site never ran out, both (P,).

    A cycle of an item at a site runs from the start, or from a bucket in which goods come in, to the next such bucket.
    """
    places = len(shelf.site)
    count, broken = np.zeros(places), np.zeros(places)
    active, failed = np.zeros(places, dtype=bool), np.zeros(places, dtype=bool)
    for bucket in range(shelf.stock.shape[1]):
        fresh = (shelf.arrived[:, bucket] > SMALL) if bucket else np.ones(places, dtype=bool)
        active, failed = active & ~fresh, failed & ~fresh
        begins = shelf.wanted[:, bucket] & ~active
        breaks = shelf.out[:, bucket] & ~failed
        count, broken = count + begins, broken + breaks
        active, failed = active | begins, failed | breaks
    return count, count - broken
