"""Plots of a plan for notebooks and slides; they need the extra `[plot]` (matplotlib)."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from allocator.plan.plan import Plan

TINTS = {
    "gain": "#2a8573",
    "cost": "#c58416",
    "sum": "#3a6ea5",
    "late": "#cf9730",
    "lost": "#b03a2b",
    "ontime": "#5d8fbd",
}
TOP_CAPACITIES = 20


def plot(plan: Plan, kind: str = "value", axes: Any = None) -> Any:
    """Draw one plot of a plan.

    Parameters
    ----------
    plan : Plan
    kind : str
        ``value`` (where the value comes from), ``stock`` (closing stock at cost by kind of site), ``service`` (what became of demand,
        by day), ``capacity`` (use of the tightest capacities, by day).
    axes : matplotlib.axes.Axes, optional
        Where to draw; without it a new figure is made.

    Returns
    -------
    matplotlib.figure.Figure
        A notebook shows it; ``savefig`` writes it.

    Raises
    ------
    ValueError
        For another kind.
    ImportError
        When matplotlib is not installed.
    """
    if kind not in PLOTS:
        raise ValueError(f"plot: expected one of {', '.join(PLOTS)}, found '{kind}'")
    axes = _axes() if axes is None else axes
    PLOTS[kind](plan, axes)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes.figure


def _axes() -> Any:
    """Axes in a figure of their own, not pyplot's: nothing is kept that a notebook would draw twice or a server would leak."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("plots need matplotlib; install it with: pip install 'inventory-allocator[plot]'") from None

    class Shown(Figure):
        """A figure that a notebook shows without any magic."""

        def _repr_png_(self) -> bytes:
            held = io.BytesIO()
            self.savefig(held, format="png", dpi=110)
            return held.getvalue()

    return Shown(figsize=(8.0, 4.0), layout="constrained").add_subplot()


def _value(plan: Plan, axes: Any) -> None:
    from allocator.report.answer import COMPONENTS

    currency = plan.network.settings.currency
    costs = {name: float(cost) for name, cost in plan.certificate["components"].items()}
    named = [name for name in COMPONENTS if name in costs] + [name for name in costs if name not in COMPONENTS]
    parts = [(COMPONENTS.get(name, name), -costs[name]) for name in named]
    parts = [part for part in parts if abs(part[1]) >= 0.005]
    level = 0.0
    for place, (_, figure) in enumerate(parts):
        axes.barh(place, figure, left=level, color=TINTS["gain" if figure > 0 else "cost"])
        level += figure
    axes.barh(len(parts), level, color=TINTS["sum"])
    axes.set_yticks(range(len(parts) + 1), [*(_plain(name) for name, _ in parts), "Value of the plan"])
    axes.invert_yaxis()
    axes.set_xlabel(currency)
    axes.set_title("Where the value comes from")


def _stock(plan: Plan, axes: Any) -> None:
    from allocator.measure import Days
    from allocator.measure.days import dated
    from allocator.report.pictures import KIND_NAMES, stock_by_site

    tables, days = plan.network, Days.of(plan.network)
    worth = tables.frame("items").set_index("item")["unit_cost"].astype(float)
    by_site = stock_by_site(tables, dated({"projections": plan.tables["projections"]}), days, worth)
    kind = by_site["site"].map(tables.frame("sites").set_index("site")["kind"])
    for name, group in by_site.groupby(kind, observed=True):
        axes.plot(
            days.dates(),
            group.groupby("bucket", observed=True)["stock"].sum(),
            marker="o",
            label=KIND_NAMES.get(str(name), str(name)),
        )
    axes.set_ylabel(f"closing stock, {tables.settings.currency}")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    axes.tick_params(axis="x", labelrotation=45)
    axes.set_title("Stock over time")


def _service(plan: Plan, axes: Any) -> None:
    import numpy as np

    from allocator.measure import Days
    from allocator.measure.days import dated
    from allocator.report.served import daily

    days = Days.of(plan.network)
    by_day, _ = daily(plan.network, dated({name: plan.tables[name] for name in ("admissions", "unmet")}), days)
    foot = np.zeros(days.count)
    for place, (label, tint) in enumerate((("served on its day", "ontime"), ("served late", "late"), ("lost", "lost"))):
        amounts = sum((figures[place] for figures in by_day.values()), np.zeros(days.count))
        axes.bar(days.dates(), amounts, bottom=foot, color=TINTS[tint], label=label)
        foot = foot + amounts
    axes.set_ylabel("units")
    axes.legend(frameon=False)
    axes.tick_params(axis="x", labelrotation=45)
    axes.set_title("What became of demand")


def _capacity(plan: Plan, axes: Any) -> None:
    import numpy as np

    from allocator.measure import Days, capacity_use
    from allocator.measure.days import dated
    from allocator.measure.rows import records
    from allocator.report.words import NAMES, day, place

    days = Days.of(plan.network)
    use = capacity_use(plan.network, dated(plan.tables), days)
    use = use[use["limit"] > 0]
    keys = ["resource", "site", "origin", "destination", "mode"]
    found = []
    for _, group in use.groupby([use[key].astype(object).fillna("") for key in keys], sort=True):
        row = np.full(days.count, np.nan)
        row[days.buckets_of(group["date"])] = 100 * group["use"] / group["limit"]
        first = records(group.head(1))[0]
        found.append((f"{place(first)}, {NAMES[str(first['resource'])]}", row))
    found = sorted(found, key=lambda one: (-float(np.nanmax(one[1])), one[0]))[:TOP_CAPACITIES]
    if found:
        shown = axes.imshow([row for _, row in found], aspect="auto", vmin=0, vmax=100, cmap="Blues")
        axes.figure.colorbar(shown, ax=axes, label="use, % of the limit")
    axes.set_yticks(range(len(found)), [_plain(name) for name, _ in found])
    axes.set_xticks(range(days.count), [day(date) for date in days.dates()], rotation=90)
    axes.set_title("Use of the tightest capacities")


def _plain(name: object) -> str:
    """A name from data as matplotlib shows it: a dollar sign would start a formula."""
    return str(name).replace("$", r"\$")


PLOTS: dict[str, Callable[[Plan, Any], None]] = {
    "value": _value,
    "stock": _stock,
    "service": _service,
    "capacity": _capacity,
}
"""Kinds of plots."""
