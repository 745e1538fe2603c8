"""Why a site got this much of an item: worked out from the network's tables, the plan's tables and its prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from allocator.explain import explanation as said
from allocator.explain.names import known
from allocator.measure import Days, Service, incoming, serve
from allocator.measure.days import dated
from allocator.measure.rows import records, rows_of
from allocator.report import words
from allocator.report.answer import exception_words

if TYPE_CHECKING:
    from allocator.explain.counterfactual import Instead
    from allocator.tables import Tables

Plan = Mapping[str, pd.DataFrame]
OF_ITEM = ("items", "forecasts", "orders", "lots", "receipts", "stock_policies", "locks")


class OneItem:
    """A network's tables with the rows of one item; stands in for Tables where only frames and settings are read."""

    def __init__(self, tables: Tables, item: str) -> None:
        """Remember the tables and the item."""
        self.tables, self.item, self.settings = cut_tables(tables, [item]), item, tables.settings
        self._frames: dict[str, pd.DataFrame] = {}

    def frame(self, name: str) -> pd.DataFrame:
        """Give a table, cut to the item where it has one."""
        if name not in self._frames:
            self._frames[name] = self.tables.frame(name)
        return self._frames[name]

    def encoded(self, name: str) -> pa.Table:
        """Give a table with coded words, cut to the item where it has one."""
        return self.tables.encoded(name)


def cut_tables(tables: Tables, items: Sequence[str]) -> Tables:
    """Give a network's tables with the rows of some items, cut before anything is turned into words."""
    from allocator.tables import Tables as Kind

    wanted = pa.array(items, type=pa.string())

    def rows(name: str) -> pa.Table:
        """Cut a table that has items."""
        table = tables.encoded(name)
        if name not in OF_ITEM or not table.num_rows:
            return table
        column = table["item"].combine_chunks()
        column = column if isinstance(column, pa.Array) else pa.concat_arrays(column.chunks)
        mine = pc.is_in(column.dictionary.cast(pa.string()), value_set=wanted)
        return table.filter(mine.take(column.indices))

    kept = {name: rows(name) for name in tables}
    return Kind(kept, kept, tables.settings, source=tables.source)


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
    return _explain(_Item.of(tables, plan, item), plan, certificate, site, answer)


@dataclass(frozen=True)
class _Item:
    """What is worked out once for an item: its part of the network and of the plan, and how its demand was met."""

    one: OneItem
    mine: Plan
    days: Days
    outside: pd.DataFrame
    done: Service

    @classmethod
    def of(cls, tables: Tables, plan: Plan, item: str) -> _Item:
        """Work it out."""
        one, days = OneItem(tables, item), Days.of(tables)
        mine = dated({name: _of(frame, item) for name, frame in plan.items() if "item" in frame.columns})
        part = cast("Tables", one)
        return cls(one, mine, days, incoming(part, days), serve(part, mine, days))


def explain_many(
    tables: Tables, plan: Plan, certificate: Mapping[str, Any], pairs: Sequence[tuple[str, str]]
) -> list[said.Explanation]:
    """Explain several (item, site) pairs of known codes; what belongs to an item is worked out once."""
    few = cut_tables(tables, sorted({item for item, _ in pairs}))
    items: dict[str, _Item] = {}
    found = []
    for item, site in pairs:
        items[item] = items.get(item) or _Item.of(few, plan, item)
        found.append(_explain(items[item], plan, certificate, site))
    return found


def _explain(
    known_item: _Item, plan: Plan, certificate: Mapping[str, Any], site: str, answer: Instead | None = None
) -> said.Explanation:
    """Explain an item at a known site."""
    one, mine, days, outside = known_item.one, known_item.mine, known_item.days, known_item.outside
    item = one.item
    end = days.start + pd.Timedelta(days=days.horizon - 1)
    at_site = mine["projections"][mine["projections"]["site"] == site].sort_values("date")
    shipments = mine["shipments"]
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
        opening=_opening(one, days, site),
        receipts=float(outside.loc[outside["site"] == site, "quantity"].sum()),
        shipped_in=float(_arriving(shipments, site, days)["quantity"].sum()),
        shipped_out=float(shipments.loc[shipments["origin"] == site, "quantity"].sum()),
        served=float(admissions.loc[admissions["site"] == site, "quantity"].sum()),
        waste=float(at_site["waste"].sum()),
        closing=float(at_site["stock"].iloc[-1]) if len(at_site) else 0.0,
        asked=_asked(one, mine, known_item.done, site),
        policy=_policy(one, site),
        upstream=_upstream(one, mine, outside, days, site),
        arrivals=_arrivals(mine, days, site),
        unmet=_unmet(one, mine["unmet"], site),
        binding=_binding(one, certificate, site),
        limits=_limits(one, days, site),
        locks=_locks(one, site),
        gave=_gave(plan, item, site, one.settings.currency),
        bid_price=_highest(admissions[admissions["site"] == site]["bid_price"]),
        next_best=_next_best(admissions, site),
        instead=answer,
    )


def _of(frame: pd.DataFrame, item: str) -> pd.DataFrame:
    return frame[frame["item"] == item].reset_index(drop=True)


def _iso(date: Any) -> str:
    return words.date_of(date).isoformat()


def _figure(value: Any) -> float | None:
    return None if words.is_missing(value) else float(value)


def _highest(prices: pd.Series) -> float | None:
    return _figure(prices.max()) if len(prices) else None


def _opening(one: OneItem, days: Days, site: str) -> float:
    lots = one.frame("lots")
    usable = (lots["status"] == "available") & ~(days.numbers(lots["expiry_date"]) < 0)
    now = ~(days.numbers(lots["received_date"]) > 0)
    return float(lots.loc[usable & now & (lots["site"] == site), "quantity"].sum())


def _arriving(shipments: pd.DataFrame, site: str, days: Days) -> pd.DataFrame:
    inside = days.buckets_of(shipments["arrive_date"]) >= 0
    return shipments[(shipments["destination"] == site) & inside]


def _asked(one: OneItem, mine: Plan, done: Service, site: str) -> list[said.Asked]:
    arcs = one.frame("fulfilment")
    arcs = arcs[arcs["site"] == site]
    claims = done.asked.claims.assign(
        asked=done.asked.quantity.sum(axis=1),
        served=done.served.sum(axis=1),
        late=done.late.sum(axis=1),
        lost=done.lost.sum(axis=1),
        waiting=done.backlog[:, -1],
    )
    claims = claims.merge(arcs[["channel", "zone"]], on=["channel", "zone"])
    here = mine["admissions"][mine["admissions"]["site"] == site].groupby("channel", observed=True)["quantity"].sum()
    found = []
    for channel, group in claims.groupby("channel", sort=True, observed=True):
        forecast = float(group.loc[group["claim"] == "forecast", "asked"].sum())
        own = float(here.get(channel, 0.0))
        sums = group[["asked", "served", "late", "lost", "waiting"]].sum().astype(float)
        found.append(
            said.Asked(
                channel=str(channel),
                zones=sorted(set(group["zone"].astype(str))),
                forecast=forecast,
                firm=float(sums["asked"]) - forecast,
                here=own,
                elsewhere=max(float(sums["served"]) - own, 0.0),
                late=float(sums["late"]),
                lost=float(sums["lost"]),
                waiting=float(sums["waiting"]),
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


def _upstream(one: OneItem, mine: Plan, outside: pd.DataFrame, days: Days, site: str) -> list[said.Upstream]:
    lanes = one.frame("lanes")
    lanes = lanes[lanes["destination"] == site].sort_values(["origin", "mode"])
    last = mine["projections"].sort_values("date").groupby("site", observed=True)["stock"].last()
    sent = _arriving(mine["shipments"], site, days).groupby(["origin", "mode"], observed=True)["quantity"].sum()
    return [
        said.Upstream(
            origin=str(lane.origin),
            mode=str(lane.mode),
            lead_time_days=int(lane.lead_time_days),
            opening=_opening(one, days, str(lane.origin)),
            receipts=float(outside.loc[outside["site"] == lane.origin, "quantity"].sum()),
            sent_here=float(sent.get((lane.origin, lane.mode), 0.0)),
            left=float(last.get(lane.origin, 0.0)),
        )
        for lane in rows_of(lanes)
    ]


def _arrivals(mine: Plan, days: Days, site: str) -> list[said.Arrival]:
    shipments = _arriving(mine["shipments"], site, days)
    moves = mine["lot_moves"]
    moves = moves[(moves["for"] == "shipment") & (moves["to"] == site)]
    found = []
    for row in records(shipments.sort_values(["arrive_date", "origin", "mode", "ship_date"])):
        same = (moves["from"] == row["origin"]) & (moves["mode"] == row["mode"]) & (moves["date"] == row["ship_date"])
        parts = [
            said.LotPart(
                str(part["lot"]),
                float(part["quantity"]),
                None if words.is_missing(part["expiry_date"]) else _iso(part["expiry_date"]),
            )
            for part in records(moves[same])
        ]
        found.append(
            said.Arrival(
                origin=str(row["origin"]),
                mode=str(row["mode"]),
                ship_date=_iso(row["ship_date"]),
                arrive_date=_iso(row["arrive_date"]),
                quantity=float(row["quantity"]),
                method=str(row["method"]),
                lots=parts,
            )
        )
    return found


def _unmet(one: OneItem, unmet: pd.DataFrame, site: str) -> list[said.Unmet]:
    arcs = one.frame("fulfilment")
    mine = unmet.merge(arcs.loc[arcs["site"] == site, ["channel", "zone"]], on=["channel", "zone"])
    mine = mine.assign(reason=mine["reason"].astype(object).fillna(""))
    keys = ["channel", "zone", "reason", "status"]
    sums = mine.groupby(keys, as_index=False, observed=True).agg(quantity=("quantity", "sum"), first=("date", "min"))
    sums = sums.sort_values(["quantity", *keys], ascending=[False, True, True, True, True], kind="stable")
    return [
        said.Unmet(
            str(row["channel"]),
            str(row["zone"]),
            float(row["quantity"]),
            str(row["reason"]),
            str(row["status"]),
            _iso(row["first"]),
        )
        for row in records(sums)
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


def _next_best(admissions: pd.DataFrame, site: str) -> list[said.Use]:
    others = admissions[(admissions["site"] != site) & (admissions["bid_price"] > 0)]
    if others.empty:
        return []
    order = others.sort_values(
        ["bid_price", "date", "site", "channel"], ascending=[False, True, True, True], kind="stable"
    )
    highest = order.drop_duplicates(["site", "channel"])
    went = others.groupby(["site", "channel"], observed=True)["quantity"].sum()
    return [
        said.Use(
            str(row["site"]),
            str(row["channel"]),
            float(row["bid_price"]),
            _iso(row["date"]),
            float(went[row["site"], row["channel"]]),
        )
        for row in records(highest.head(10))
    ]
