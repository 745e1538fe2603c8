"""Why a site got this much of an item: worked out from the network's tables, the plan's tables and its prices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator.explain import explanation as said
from allocator.explain.item import Item, OneItem, Plan, Row, cut_tables, grouped, rows, summed
from allocator.explain.names import known
from allocator.measure import Days
from allocator.measure.rows import records
from allocator.report import words
from allocator.report.answer import exception_words

if TYPE_CHECKING:
    from allocator.explain.counterfactual import Instead
    from allocator.tables import Tables

NEXT_BEST = 10
"""Other uses of an item that are told."""


def explain(
    tables: Tables,
    plan: Plan,
    certificate: Mapping[str, Any],
    item: str,
    site: str,
    *,
    instead: float | None = None,
    origin: str | None = None,
    date: str | None = None,
    previous: pd.DataFrame | None = None,
) -> said.Explanation:
    """Explain why a site got what it got of an item.

    Parameters
    ----------
    tables : Tables
        The network.
    plan : Mapping of str to DataFrame
        The plan's tables.
    certificate : Mapping
        As in certificate.json; its `prices` say what one more of each tight resource is worth.
    item, site : str
        What is explained.
    instead : float, optional
        Another quantity to bring to the site: the item is planned again with it, all other items as planned. [units]
    origin, date : str, optional
        With ``instead``: only arrivals from there, or sent on that ISO day, are meant.
    previous : DataFrame, optional
        With ``instead``: shipments of the plan's previous plan.

    Returns
    -------
    Explanation
        Data, and one page of text.

    Raises
    ------
    UnknownCode
        If the network has no such item or site; the nearest code is suggested.
    ValueError
        If ``instead`` is negative, or asks for what no lane can bring.
    """
    known("item", item, tables["items"]["item"].to_pylist())
    known("site", site, tables["sites"]["site"].to_pylist())
    answer = None
    if instead is not None or origin is not None or date is not None:
        from allocator.explain.counterfactual import ask
        from allocator.explain.instead import Lane

        answer = ask(tables, plan, item, Lane(site, origin, date), instead, previous)
    return _explain(Item.of(tables, plan, item), plan, certificate, site, answer)


def explain_many(
    tables: Tables, plan: Plan, certificate: Mapping[str, Any], pairs: Sequence[tuple[str, str]]
) -> list[said.Explanation]:
    """Explain several (item, site) pairs of known codes; what belongs to an item is worked out once."""
    few = cut_tables(tables, sorted({item for item, _ in pairs}))
    items: dict[str, Item] = {}
    found = []
    for item, site in pairs:
        items[item] = items.get(item) or Item.of(few, plan, item)
        found.append(_explain(items[item], plan, certificate, site))
    return found


def _explain(
    known_item: Item, plan: Plan, certificate: Mapping[str, Any], site: str, answer: Instead | None = None
) -> said.Explanation:
    """Explain an item at a known site."""
    one, mine, days = known_item.one, known_item.mine, known_item.days
    item = one.item
    end = days.start + pd.Timedelta(days=days.horizon - 1)
    at_site = known_item.projected.get((site,), [])
    kinds = one.frame("sites").set_index("site")["kind"]
    about = one.frame("items")["description"].iloc[0]
    admissions = mine["admissions"]
    return said.Explanation(
        item=item,
        site=site,
        description="" if words.is_missing(about) else str(about),
        kind=str(kinds[site]),
        currency=one.settings.currency,
        start=days.start.isoformat(),
        end=end.isoformat(),
        opening=known_item.opening.get((site,), 0.0),
        receipts=known_item.receipts.get((site,), 0.0),
        shipped_in=math.fsum(row[4] for row in known_item.arriving.get((site,), [])),
        shipped_out=known_item.left.get((site,), 0.0),
        served=math.fsum(units for (where, _), units in known_item.admitted.items() if where == site),
        waste=math.fsum(waste for _, _, waste in at_site),
        closing=_closing(known_item, site),
        asked=_asked(known_item, site),
        policy=_policy(one, site),
        upstream=_upstream(known_item, site),
        arrivals=_arrivals(known_item, site),
        unmet=_unmet(known_item, site),
        binding=_binding(one, certificate, site),
        limits=_limits(one, days, site),
        locks=_locks(one, site),
        gave=_gave(plan, item, site, one.settings.currency),
        bid_price=_highest(admissions[admissions["site"] == site]["bid_price"]),
        next_best=_next_best(known_item, site),
        instead=answer,
    )


def _iso(date: Any) -> str:
    return words.date_of(date).isoformat()


def _figure(value: Any) -> float | None:
    return None if words.is_missing(value) else float(value)


def _highest(prices: pd.Series) -> float | None:
    return _figure(prices.max()) if len(prices) else None


def _asked(item: Item, site: str) -> list[said.Asked]:
    of_channel: dict[str, list[str]] = {}
    for channel, zone in item.places(site):
        if (channel, zone) in item.claims:
            of_channel.setdefault(channel, []).append(zone)
    found = []
    for channel, zones in sorted(of_channel.items()):
        claims = [claim for zone in zones for claim in item.claims[channel, zone]]
        asked, served, late, lost, waiting = (math.fsum(claim[k] for claim in claims) for k in range(1, 6))
        forecast = math.fsum(claim[1] for claim in claims if claim[0] == "forecast")
        own = item.admitted.get((site, channel), 0.0)
        found.append(
            said.Asked(
                channel=str(channel),
                zones=sorted(set(map(str, zones))),
                forecast=forecast,
                firm=asked - forecast,
                here=own,
                elsewhere=max(served - own, 0.0),
                late=late,
                lost=lost,
                waiting=waiting,
            )
        )
    return found


def _policy(one: OneItem, site: str) -> said.Policy:
    rows = one.frame("stock_policies")
    rows = rows[rows["site"] == site]
    if rows.empty:
        return said.Policy(True, 0.0, 0.0, None)
    row = rows.iloc[0]
    return said.Policy(
        bool(row["carried"]), float(row["min_stock"]), float(row["safety_stock"]), _figure(row["max_stock"])
    )


def _closing(item: Item, site: str) -> float:
    days = item.projected.get((site,))
    return float(days[-1][1]) if days else 0.0


def _upstream(item: Item, site: str) -> list[said.Upstream]:
    lanes = item.one.frame("lanes")
    lanes = lanes[lanes["destination"] == site]
    sent = summed((origin, mode, units) for _, origin, mode, _, units, _ in item.arriving.get((site,), []))
    return [
        said.Upstream(
            origin=str(origin),
            mode=str(mode),
            lead_time_days=int(lead),
            opening=item.opening.get((origin,), 0.0),
            receipts=item.receipts.get((origin,), 0.0),
            sent_here=sent.get((origin, mode), 0.0),
            left=_closing(item, origin),
        )
        for origin, mode, lead in sorted(rows(lanes, "origin", "mode", "lead_time_days"))
    ]


def _arrivals(item: Item, site: str) -> list[said.Arrival]:
    return [
        said.Arrival(
            origin=str(origin),
            mode=str(mode),
            ship_date=_iso(left),
            arrive_date=_iso(arrived),
            quantity=float(quantity),
            method=str(method),
            lots=[
                said.LotPart(str(lot), float(units), None if words.is_missing(expiry) else _iso(expiry))
                for lot, units, expiry in item.lots_moved.get((site, origin, mode, left), [])
            ],
        )
        for arrived, origin, mode, left, quantity, method in item.arriving.get((site,), [])
    ]


def _unmet(item: Item, site: str) -> list[said.Unmet]:
    parts = grouped(
        (
            (str(channel), str(zone), str(reason), str(status), date, units)
            for channel, zone in item.places(site)
            for reason, status, date, units in item.unmet.get((channel, zone), [])
        ),
        4,
    )
    sums = [(math.fsum(units for _, units in days), key, min(date for date, _ in days)) for key, days in parts.items()]
    return [
        said.Unmet(channel, zone, quantity, reason, status, _iso(first))
        for quantity, (channel, zone, reason, status), first in sorted(sums, key=lambda row: (-row[0], row[1]))
    ]


def _binding(one: OneItem, certificate: Mapping[str, Any], site: str) -> list[said.Binding]:
    """Pick the priced resources at the site, on its lanes, at the origins of lanes into it, and of its channels."""
    lanes, arcs = one.frame("lanes"), one.frame("fulfilment")
    origins = set(lanes.loc[lanes["destination"] == site, "origin"])
    channels = set(arcs.loc[arcs["site"] == site, "channel"])
    leaving = ("outbound", "outbound_units")

    def on_the_way(price: Mapping[str, Any]) -> bool:
        """Tell whether a unit coming to, kept at or leaving the site uses the resource."""
        if price.get("origin") or price.get("destination"):
            return site in (price.get("origin"), price.get("destination"))
        if price.get("site"):
            return price["site"] == site or (price["site"] in origins and price["resource"] in leaving)
        return price.get("channel") in channels

    tight = [price for price in certificate.get("prices") or [] if float(price["price"]) > 0 and on_the_way(price)]
    found = [
        said.Binding(
            sentence=words.worth_sentence(price, one.settings.currency),
            resource=str(price["resource"]),
            where=words.place(price),
            date=None if words.is_missing(price.get("date")) else str(price["date"])[:10],
            price=float(price["price"]),
            use=_figure(price.get("use")),
            limit=_figure(price.get("limit")),
            unit=str(price.get("unit") or ""),
        )
        for price in tight
    ]
    return sorted(found, key=lambda binding: (-binding.price, binding.sentence))


def _limits(one: OneItem, days: Days, site: str) -> list[said.Limit]:
    """Pick the admission limits that are the most specific for the site on some day of the horizon."""
    arcs = one.frame("fulfilment")
    rows = one.frame("admission_limits")
    rows = rows[rows["channel"].isin(arcs.loc[arcs["site"] == site, "channel"]) & rows["site"].isin([site, "*"])]
    dates = {_iso(pd.Timestamp(days.start) + pd.Timedelta(days=number)) for number in range(days.horizon)}
    found = []
    for channel, group in rows.groupby("channel", sort=True, observed=True):
        stated = {(str(row["site"]), str(row["date"])): row for row in records(group)}
        order = [(site, None), (site, "*"), ("*", None), ("*", "*")]
        ladders = [[(where, when or date) for where, when in order] for date in dates]
        used = {best for ladder in ladders for best in [step for step in ladder if step in stated][:1]}
        found += [
            said.Limit(
                str(channel),
                where,
                when,
                _figure(stated[where, when]["max_units"]),
                _figure(stated[where, when]["max_share"]),
            )
            for where, when in sorted(used)
        ]
    return found


def _locks(one: OneItem, site: str) -> list[said.Lock]:
    rows = one.frame("locks")
    rows = rows[(rows["origin"] == site) | (rows["destination"] == site)]
    return [
        said.Lock(
            lock=str(row["lock"]),
            kind=str(row["kind"]),
            origin=str(row["origin"]),
            destination=str(row["destination"]),
            date=_iso(row["date"]),
            quantity=float(row["quantity"]),
            reason=str(row["reason"]),
            planner=str(row["planner"]),
        )
        for row in records(rows.sort_values(["date", "lock"]))
    ]


def _gave(plan: Plan, item: str, site: str, currency: str) -> list[str]:
    rows = plan["exceptions"]
    about = rows["item"].isna() | rows["item"].isin([item, ""])
    rows = rows[about & (rows["where"].astype(str) == site)]
    rows = rows.sort_values("cost", ascending=False, kind="stable")
    return [f"{exception_words(row, currency)}; mend: {row['mend']}" for row in records(rows)]


def _next_best(item: Item, site: str) -> list[said.Use]:
    best: dict[Row, Row] = {}
    for price, date, where, channel, _ in item.bids:
        if where != site and (where, channel) not in best:
            best[where, channel] = (price, date)
    return [
        said.Use(str(where), str(channel), float(price), _iso(date), item.bid_units[where, channel])
        for (where, channel), (price, date) in list(best.items())[:NEXT_BEST]
    ]
