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
from allocator.measure.demand import Asked, asked, find_rows

if TYPE_CHECKING:
    from allocator.tables import Tables

SMALL = 1e-6  # quantities below this are solver dust


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
        sums = pd.DataFrame(
            {
                "asked": self.asked.quantity.sum(axis=1),
                "served": self.served.sum(axis=1),
                "late": self.late.sum(axis=1),
                "lost": self.lost.sum(axis=1),
                "waiting": self.backlog[:, -1] if self.backlog.shape[1] else 0.0,
            }
        )
        if column is None:
            return sums.sum().to_frame().T
        return sums.groupby(self.asked.claims[column].to_numpy(), sort=True).sum()


def serve(tables: Tables, plan: Mapping[str, pd.DataFrame], days: Days) -> Service:
    """Match admissions and unmet demand to the claims they belong to, oldest demand first."""
    wanted = asked(tables, days)
    shape = wanted.quantity.shape
    admissions, unmet = plan["admissions"], plan["unmet"]
    gone = unmet[unmet["status"] == "lost"]
    served = _grid(wanted, admissions, days, shape)
    lost = _grid(wanted, gone, days, shape)
    closing = np.cumsum(wanted.quantity - served - lost, axis=1)
    closing = np.where(closing > SMALL, closing, 0.0)
    opening = np.concatenate([np.zeros((shape[0], 1)), closing[:, :-1]], axis=1)
    return Service(wanted, served, np.minimum(served, opening), lost, closing)


def _grid(wanted: Asked, frame: pd.DataFrame, days: Days, shape: tuple[int, int]) -> Floats:
    return per_bucket(wanted.rows(frame), days.buckets_of(frame["date"]), frame["quantity"].to_numpy(float), shape)


@dataclass(frozen=True)
class Shelves:
    """Stock and demand of every item at every site that keeps or serves it; all grids are (P, B).

    Attributes
    ----------
    places : DataFrame (P rows)
        Columns item, site.
    stock, waste, arrived : (P, B) float, [units]
        Closing usable stock, waste booked, and shipments and receipts that came in.
    wanted, out : (P, B) bool
        Days on which a zone the site may serve asked for the item, and those among them on which the site ended empty
        while some of that demand stayed unserved.
    """

    places: pd.DataFrame
    stock: Floats
    waste: Floats
    arrived: Floats
    wanted: NDArray[np.bool_]
    out: NDArray[np.bool_]


def shelves(tables: Tables, plan: Mapping[str, pd.DataFrame], service: Service, days: Days) -> Shelves:
    """Lay closing stock beside the demand that each site could have served."""
    projections = plan["projections"]
    pairs, claim_of = _serving_pairs(tables, service)
    places = pd.concat([projections[["item", "site"]], pairs], ignore_index=True).drop_duplicates()
    places = places.sort_values(["item", "site"]).reset_index(drop=True)
    shape = (len(places), days.count)
    where = find_rows(places, projections, ["item", "site"])
    buckets = days.buckets_of(projections["date"])
    stock = per_bucket(where, buckets, projections["stock"].to_numpy(float), shape)
    waste = per_bucket(where, buckets, projections["waste"].to_numpy(float), shape)
    rows = find_rows(places, pairs, ["item", "site"])
    reach = sparse.csr_array(
        (np.ones(len(rows)), (rows, claim_of)), shape=(len(places), len(service.asked.claims)), dtype=np.float64
    )
    carried = _carried(tables, places)[:, None]
    wanted = ((reach @ service.asked.quantity) > SMALL) & carried
    missed = (reach @ (service.lost + service.backlog)) > SMALL
    return Shelves(
        places, stock, waste, _arrivals(tables, plan, places, days), wanted, wanted & missed & (stock <= SMALL)
    )


def _serving_pairs(tables: Tables, service: Service) -> tuple[pd.DataFrame, Whole]:
    """List (item, site) once for each claim that the site may serve, and that claim's position."""
    claims = service.asked.claims[["item", "channel", "zone"]].assign(position=np.arange(len(service.asked.claims)))
    arcs = tables.frame("fulfilment")[["site", "channel", "zone"]]
    joined = claims.merge(arcs, on=["channel", "zone"])
    return joined[["item", "site"]], joined["position"].to_numpy(np.int64)


def _carried(tables: Tables, places: pd.DataFrame) -> NDArray[np.bool_]:
    policies = tables.frame("stock_policies")
    refused = policies[~policies["carried"].astype(bool)]
    return find_rows(refused, places, ["item", "site"]) < 0


def incoming(tables: Tables, days: Days) -> pd.DataFrame:
    """List what comes in from outside: receipts and lots received after day 0.

    Returns
    -------
    DataFrame
        Columns lot, item, site, quantity, expiry_date, bucket; overdue receipts come in on day 0, those after the
        horizon are left out.
    """
    receipts = tables.frame("receipts")
    receipts = receipts.assign(
        lot=receipts["lot"].where(receipts["lot"].notna(), receipts["receipt"]),
        bucket=days.buckets(np.maximum(days.numbers(receipts["date"]), 0)),
    )
    lots = tables.frame("lots")
    lots = lots.assign(bucket=days.buckets_of(lots["received_date"]))
    lots = lots[(lots["status"] == "available") & (days.numbers(lots["received_date"]) > 0)]
    columns = ["lot", "item", "site", "quantity", "expiry_date", "bucket"]
    parts = [part[columns] for part in (receipts[receipts["bucket"] >= 0], lots[lots["bucket"] >= 0]) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else receipts[columns].head(0)


def _arrivals(tables: Tables, plan: Mapping[str, pd.DataFrame], places: pd.DataFrame, days: Days) -> Floats:
    shape = (len(places), days.count)
    shipments = plan["shipments"].rename(columns={"destination": "site"})
    shipped = per_bucket(
        find_rows(places, shipments, ["item", "site"]),
        days.buckets_of(shipments["arrive_date"]),
        shipments["quantity"].to_numpy(float),
        shape,
    )
    outside = incoming(tables, days)
    came = per_bucket(
        find_rows(places, outside, ["item", "site"]),
        outside["bucket"].to_numpy(np.int64),
        outside["quantity"].to_numpy(float),
        shape,
    )
    return shipped + came


def cycles(shelf: Shelves) -> pd.DataFrame:
    """Count replenishment cycles with demand, and those in which the site never ran out.

    A cycle of an item at a site runs from the start, or from a bucket in which goods come in, to the next such bucket.

    Returns
    -------
    DataFrame (P rows)
        Columns cycles, kept.
    """
    count, broken = np.zeros(len(shelf.places)), np.zeros(len(shelf.places))
    active, failed = np.zeros(len(shelf.places), dtype=bool), np.zeros(len(shelf.places), dtype=bool)
    for bucket in range(shelf.stock.shape[1]):
        fresh = (shelf.arrived[:, bucket] > SMALL) if bucket else np.ones(len(shelf.places), dtype=bool)
        active, failed = active & ~fresh, failed & ~fresh
        begins = shelf.wanted[:, bucket] & ~active
        breaks = shelf.out[:, bucket] & ~failed
        count, broken = count + begins, broken + breaks
        active, failed = active | begins, failed | breaks
    return pd.DataFrame({"cycles": count, "kept": count - broken})
