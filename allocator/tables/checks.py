"""The rules a network must keep, each over whole columns, each reporting every row that breaks it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.tables.columns import Column
from allocator.tables.convert import rendered
from allocator.tables.draft import Draft
from allocator.tables.findings import Faults, Rows, Texts, nearest, quoted
from allocator.tables.keys import joined, positions, word_positions
from allocator.tables.schema import CATEGORY, QUANTILES, SCHEMA
from allocator.tables.settings import Settings

Drafts = Mapping[str, Draft]
LANE = ("origin", "destination", "mode")
_MEASURED = (("lots", "quantity"), ("receipts", "quantity"), ("orders", "quantity"), ("locks", "quantity"))
_NEAR = 1e-9
_SUGGESTIONS = 10


def check(drafts: Drafts, settings: Settings | None, faults: Faults) -> None:
    """Report every row that breaks a rule; cells already reported are empty and break nothing further.

    Rules between tables are left out where a file is unread or the settings are, so that one fault is told once.
    """
    unread = {finding.table for finding in faults.whole}
    for draft in drafts.values():
        if len(draft):
            check_bounds(draft, faults)
            check_choices(draft, faults)
            check_key(draft, faults)
            check_references(draft, drafts, faults, unread)
    if settings is not None and not unread:
        check_together(drafts, settings, faults)


def check_together(drafts: Drafts, settings: Settings, faults: Faults) -> None:
    """Report the rows that break a rule between columns or tables."""
    check_reserved(drafts, faults)
    check_quanta(drafts, faults)
    check_packs(drafts, faults)
    check_self_lanes(drafts["lanes"], faults)
    check_item_lanes(drafts, faults)
    check_zones(drafts, faults)
    check_policies(drafts["stock_policies"], faults)
    check_quantiles(drafts["forecasts"], faults)
    check_limits(drafts["admission_limits"], faults)
    check_locks(drafts, settings, faults)
    check_min_fill(drafts, settings, faults)


def check_bounds(draft: Draft, faults: Faults) -> None:
    """Figures lie within the bounds of their column."""
    for column in draft.spec.columns:
        if column.lo is None and column.hi is None:
            continue
        if column.least is not None:
            figures = draft.figures(column.name)
            rule = f"is above 0 and below {column.least:g}, too small to plan with"
            draft.report(
                faults, column.name, (figures > 0) & (figures < column.least), rule, "give 0, or check the unit"
            )
        figures, unit = draft.figures(column.name), f" {column.unit}" if column.unit else ""
        if column.lo is not None:
            low = figures <= column.lo if column.above else figures < column.lo
            rule, mend = ("is not above", "give more than") if column.above else ("is below", "give")
            more = "" if column.above else " or more"
            text = f"{mend} {column.lo:g}{more}{unit and ' (' + unit.strip() + ')'}"
            draft.report(faults, column.name, low, f"{rule} {column.lo:g}", text)
        if column.hi is not None:
            draft.report(
                faults, column.name, figures > column.hi, f"is above {column.hi:g}", f"give {column.hi:g} or less"
            )


def check_choices(draft: Draft, faults: Faults) -> None:
    """A choice is one of its words."""
    for column in draft.spec.columns:
        if column.choices:
            known = pa.array(column.choices)
            unknown = (word_positions(draft[column.name], known) < 0) & draft.filled(column.name)
            mend = f"give one of {', '.join(column.choices)}"
            draft.report(faults, column.name, unknown, f"is not a known {column.name}", mend)


def check_key(draft: Draft, faults: Faults) -> None:
    """No two rows share a key; every copy is reported."""
    names = draft.spec.keys
    keys = joined(draft.pick(names))
    if len(keys) < 2 or bool(np.all(keys[1:] > keys[:-1])):
        return
    order = np.argsort(keys, kind="stable")
    ranked = keys[order]
    same = (ranked[1:] == ranked[:-1]) & (ranked[1:] >= 0)
    if not same.any():
        return
    mask = np.zeros(len(keys), bool)
    mask[order[np.append(same, False) | np.append(False, same)]] = True

    def values(at: Rows) -> list[str | None]:
        cells = [rendered(draft[name].take(pa.array(at))) for name in names]
        return [" / ".join(str(part) for part in parts) for parts in zip(*cells, strict=True)]

    draft.report(faults, "+".join(names), mask, "is a key given more than once", "keep one row for each key", values)


def check_references(draft: Draft, drafts: Drafts, faults: Faults, unread: set[str]) -> None:
    """A code that refers to another table is found there."""
    for column in draft.spec.columns:
        table, _, key = (column.refers or "").partition(".")
        if table and table not in unread:
            _check_known(draft, column, drafts[table].words(key), table, faults)


def _check_known(draft: Draft, column: Column, words: pa.Array, table: str, faults: Faults) -> None:
    unknown = (word_positions(draft[column.name], words) < 0) & draft.filled(column.name)
    if column.wild:
        unknown &= ~draft.equals(column.name, "*")
    if unknown.any():
        mends = suggesting(draft, column.name, words, f"add it to {table}")
        draft.report(faults, column.name, unknown, f"is not in {table}", mends)


def suggesting(draft: Draft, name: str, words: pa.Array, otherwise: str) -> Texts:
    """Return mends for unknown codes: the nearest known one, for the first few distinct ones."""
    column = draft[name]

    def mends(at: Rows) -> list[str]:
        found = rendered(column.take(pa.array(at)))
        known, told = words.to_pylist(), {}
        for word in list(dict.fromkeys(found))[:_SUGGESTIONS]:
            like = nearest(word or "", known)
            told[word] = f"{otherwise}, or write {quoted(like)}" if like else otherwise
        return [told.get(word, otherwise) for word in found]

    return mends


def check_reserved(drafts: Drafts, faults: Faults) -> None:
    """Codes with a meaning of their own are not given to things: `*`, and `category:` before an item."""
    for table, column in (("items", "item"), ("sites", "site"), ("channels", "channel"), ("fulfilment", "zone")):
        draft = drafts[table]
        draft.report(faults, column, draft.equals(column, "*"), "is reserved for 'all'", "choose another code")
    items = drafts["items"]
    taken = _prefixed(items, "item")
    items.report(faults, "item", taken, f"begins with {CATEGORY}, which names categories", "choose another code")


def _prefixed(draft: Draft, column: str) -> NDArray[np.bool_]:
    begins = pc.starts_with(draft.words(column), CATEGORY).to_numpy(zero_copy_only=False)
    found: NDArray[np.bool_] = np.append(begins, False)[draft.index(column)].astype(bool)
    return found


def quanta_of(draft: Draft, items: Draft) -> NDArray[np.float64]:
    """Return the quantum of each row's item, NaN where the item is unknown."""
    where = positions([draft["item"]], [items["item"]])
    return np.append(items.figures("quantum"), np.nan)[where]


def fractional(quantity: NDArray[np.float64], quantum: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where a quantity is no whole multiple of a quantum above 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = quantity / quantum
        off = np.abs(ratio - np.round(ratio)) > _NEAR * np.maximum(1.0, np.abs(ratio))
    return off & (quantum > 0)


def check_quanta(drafts: Drafts, faults: Faults) -> None:
    """Stock, receipts, orders and locks come in whole multiples of the item's quantum."""
    for table, column in _MEASURED:
        draft = drafts[table]
        if not len(draft):
            continue
        quantum = quanta_of(draft, drafts["items"])
        off = fractional(draft.figures(column), quantum)
        _report_multiples(draft, column, off, quantum, faults)


def _report_multiples(
    draft: Draft, column: str, off: NDArray[np.bool_], quantum: NDArray[np.float64], faults: Faults
) -> None:
    def rules(at: Rows) -> list[str]:
        return [f"is no multiple of the item's quantum {size:g}" for size in quantum[at]]

    draft.report(faults, column, off, rules, "round it, or make the quantum smaller (0 = continuous)")


def check_packs(drafts: Drafts, faults: Faults) -> None:
    """A pack is a whole multiple of the quantum of every item it is stated for."""
    draft, items = drafts["item_lanes"], drafts["items"]
    if not len(draft):
        return
    size = draft.figures("pack_size")
    quantum = quanta_of(draft, items)
    for category, quanta in _category_quanta(items, draft):
        rows = np.flatnonzero(draft.equals("item", CATEGORY + category))
        for each in quanta:
            off = fractional(size[rows], np.full(len(rows), each))
            quantum[rows[off]] = each
    _report_multiples(draft, "pack_size", fractional(size, quantum), quantum, faults)


def _category_quanta(items: Draft, draft: Draft) -> Iterator[tuple[str, NDArray[np.float64]]]:
    named = [word.removeprefix(CATEGORY) for word in draft.words("item").to_pylist() if word.startswith(CATEGORY)]
    for category in named:
        quanta = items.figures("quantum")[items.equals("category", category)]
        yield category, np.unique(quanta[quanta > 0])


def check_self_lanes(lanes: Draft, faults: Faults) -> None:
    """A lane goes somewhere else."""
    same = positions([lanes["origin"]], [lanes["destination"]])
    if len(lanes):
        both = pc.equal(lanes["origin"].cast(pa.string()), lanes["destination"].cast(pa.string()))
        loop = pc.fill_null(both, False).to_numpy(zero_copy_only=False) & (same >= 0)
        lanes.report(faults, "destination", loop, "is the lane's own origin", "give another site, or drop the row")


def lane_of(draft: Draft, lanes: Draft) -> Rows:
    """Return the position of each row's lane, -1 where there is none."""
    return positions(draft.pick(LANE), lanes.pick(LANE))


def _named_lanes(draft: Draft, drafts: Drafts, faults: Faults) -> Rows:
    """Report rows whose sites are known but whose lane is not, and return each row's lane."""
    lanes, sites = drafts["lanes"], drafts["sites"].words("site")
    where = lane_of(draft, lanes)
    known = np.logical_and.reduce([word_positions(draft[name], sites) >= 0 for name in LANE[:2]])
    stray = (where < 0) & known & draft.filled("mode")

    def values(at: Rows) -> list[str | None]:
        cells = [rendered(draft[name].take(pa.array(at))) for name in LANE]
        return [f"{origin} > {destination} ({mode})" for origin, destination, mode in zip(*cells, strict=True)]

    draft.report(faults, "+".join(LANE), stray, "is not in lanes", "add the lane, or name one that is there", values)
    return where


def check_item_lanes(drafts: Drafts, faults: Faults) -> None:
    """item_lanes name an existing lane, and an existing item or category."""
    draft, items = drafts["item_lanes"], drafts["items"]
    if not len(draft):
        return
    _named_lanes(draft, drafts, faults)
    whole = _prefixed(draft, "item")
    unknown = (word_positions(draft["item"], items.words("item")) < 0) & draft.filled("item") & ~whole
    mends = suggesting(draft, "item", items.words("item"), f"add it to items, or write {CATEGORY}NAME")
    draft.report(faults, "item", unknown, "is not in items", mends)
    named = pc.binary_join_element_wise(CATEGORY, items.words("category"), "")
    lost = (word_positions(draft["item"], named) < 0) & whole
    mends = suggesting(draft, "item", named, "give some item that category")
    draft.report(faults, "item", lost, "names a category of no item", mends)


def check_zones(drafts: Drafts, faults: Faults) -> None:
    """Demand is in a zone that some site may serve for its channel."""
    ways = drafts["fulfilment"]
    names = ("channel", "zone")
    for table in ("forecasts", "orders"):
        draft = drafts[table]
        if not len(draft):
            continue
        known = word_positions(draft["channel"], drafts["channels"].words("channel")) >= 0
        stray = (_membership(draft.pick(names), ways.pick(names)) < 0) & known & draft.filled("zone")

        def values(at: Rows, draft: Draft = draft) -> list[str | None]:
            cells = [rendered(draft[name].take(pa.array(at))) for name in names]
            return [f"{channel} / {zone}" for channel, zone in zip(*cells, strict=True)]

        mend = "add a fulfilment row for the channel and zone"
        draft.report(faults, "channel+zone", stray, "is served by no site in fulfilment", mend, values)


def _membership(left: Sequence[pa.Array], right: Sequence[pa.Array]) -> NDArray[np.int64]:
    """Return 0 or more where a row of two word columns is among the rows of `right`, -1 elsewhere, by a small grid."""
    a, b = (word_positions(column, other.dictionary) for column, other in zip(left, right, strict=True))
    rows, columns = (len(other.dictionary) for other in right)
    if rows * columns > 50_000_000:
        return positions(left, right)
    grid = np.full((rows + 1, columns + 1), -1, np.int64)
    held = [column.indices.to_numpy(zero_copy_only=False) for column in right] if right[0].null_count == 0 else None
    if held is None or right[1].null_count:
        return positions(left, right)
    grid[held[0], held[1]] = 0
    return grid[a, b]


def check_policies(draft: Draft, faults: Faults) -> None:
    """The minimum is not above the maximum."""
    above = draft.figures("min_stock") > draft.figures("max_stock")

    def rules(at: Rows) -> list[str]:
        return [f"is above max_stock {most:g}" for most in draft.figures("max_stock")[at]]

    draft.report(faults, "min_stock", above, rules, "lower it, or raise max_stock")


def check_quantiles(draft: Draft, faults: Faults) -> None:
    """Quantiles do not fall as their share rises."""
    names = [name for name in QUANTILES if draft[name].null_count < len(draft)]
    if len(names) < 2:
        return
    highest = np.full(len(draft), -np.inf)
    for name in names:
        figures = draft.figures(name)
        rule, mend = "is below a lower quantile", "give quantiles that do not fall"
        draft.report(faults, name, figures < highest, rule, mend)
        highest = np.fmax(highest, figures)


def check_limits(draft: Draft, faults: Faults) -> None:
    """An admission limit limits something."""
    neither = ~draft.filled("max_units") & ~draft.filled("max_share")
    draft.report(faults, "max_units", neither, "is blank, and so is max_share", "give one of them, or drop the row")


def check_locks(drafts: Drafts, settings: Settings, faults: Faults) -> None:
    """A lock is on a lane open to its item, on a departing day inside the horizon."""
    draft, lanes = drafts["locks"], drafts["lanes"]
    if not len(draft):
        return
    where = _named_lanes(draft, drafts, faults)
    day = draft.figures("date")
    start = (settings.start - _EPOCH).days
    outside = (day < start) | (day >= start + settings.horizon_days)
    last = settings.end - datetime.timedelta(days=1)
    mend = f"give a day from {settings.start} to {last}"
    draft.report(faults, "date", outside, "is outside the horizon", mend)
    if not len(lanes):
        return
    masks = np.array([[c == "1" for c in word] for word in lanes.words("departs").to_pylist()] + [[True] * 7])
    weekday = (np.nan_to_num(day).astype(np.int64) + 3) % 7  # day 0 of 1970 was a Thursday
    departs = np.append(lanes.index("departs"), -1)[where]
    idle = ~masks[departs, weekday] & draft.filled("date") & (where >= 0)
    draft.report(faults, "date", idle, "is no departing day of the lane", "move it to a day in the lane's departs")
    shut = closed(drafts, draft) & (where >= 0)
    draft.report(faults, "item", shut, "may not go on this lane", "open it in item_lanes, or drop the lock")
    policies = drafts["stock_policies"]
    policy = positions([draft["item"], draft["destination"]], [policies["item"], policies["site"]])
    barred = np.append(policies.figures("carried") == 0, False)[policy]
    forced = ~draft.equals("kind", "max") & (draft.figures("quantity") > 0)
    mend = "carry it in stock_policies, or drop the lock"
    draft.report(faults, "destination", barred & forced, "does not carry the item", mend)


_EPOCH = np.datetime64(0, "D").astype(object)


def closed(drafts: Drafts, draft: Draft) -> NDArray[np.bool_]:
    """Return the rows of item and lane that item_lanes closes: by the item's own row, else by its category's."""
    rules, items = drafts["item_lanes"], drafts["items"]
    names = ("item", *LANE)
    allowed = np.append(rules.figures("allowed"), np.nan)
    own = allowed[positions(draft.pick(names), rules.pick(names))]
    category = np.append(items.index("category"), -1)[positions([draft["item"]], [items["item"]])]
    named = pc.binary_join_element_wise(CATEGORY, items.words("category"), "")
    label = pa.DictionaryArray.from_arrays(pa.array(category.astype(np.int32), mask=category < 0), named)
    group = allowed[positions([label, *draft.pick(LANE)], rules.pick(names))]
    shut: NDArray[np.bool_] = np.where(np.isnan(own), group, own) == 0
    return shut


def check_min_fill(drafts: Drafts, settings: Settings, faults: Faults) -> None:
    """Channels with a minimum fill are known."""
    known = drafts["channels"].words("channel").to_pylist()
    for channel in settings.min_fill:
        if channel not in known:
            like = nearest(channel, known)
            mend = "add it to channels" + (f", or write {quoted(like)}" if like else "")
            faults.file("network", "network.toml", "is not in channels", mend, f"min_fill.{channel}")


ORDER = ("network", *SCHEMA)
