"""Draw the split of one item over the network from a real plan: `python -m benchmarks.split_picture [PLAN]` writes docs/pictures/split.svg.

Without PLAN the demo network is planned first, over five outlooks with the second week as one bucket (some minutes).
"""

import shutil
import sys
import tempfile
from pathlib import Path

import pandas as pd
from markupsafe import Markup

import allocator
from allocator.plan.plan import Plan
from allocator.report import svg
from allocator.report.words import number

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "pictures" / "split.svg"
OUTLOOKS = "outlooks = 5\nbuckets = [1, 1, 1, 1, 1, 1, 1, 7]\n"
MOST_STORES = 12
"""Stores with a bar of their own; the others are added up in one."""
WIDTH, LEFT, RIGHT, ROW, TOP = 860.0, 178.0, 790.0, 24.0, 118.0
COLOURS = {
    ("pushed", "store"): "#1f5f99",
    ("pushed", "online"): "#6fa8dc",
    ("pushed", "*"): "#b7c9da",
    ("reserved", "store"): "#b45f06",
    ("reserved", "online"): "#f0a04b",
    ("reserved", "*"): "#f5d5ad",
}
NAMES = {"store": "for walk-in customers", "online": "for online orders", "*": "for shipping on"}
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.name{font-size:16px;font-weight:600}.tick{fill:#555}"
    ".rule{stroke:#ddd}.axis{stroke:#555}"
)


def planned() -> Plan:
    """Plan the demo network over several outlooks."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(ROOT / "scenarios" / "iowa", Path(scratch) / "iowa"))
        settings = folder / "network.toml"
        settings.write_text(settings.read_text(encoding="utf-8") + OUTLOOKS, encoding="utf-8")
        return allocator.solve(allocator.read(folder), engine="priced", workers=2, gap=0.02)


def chosen(split: pd.DataFrame) -> str:
    """The item of which most is both pushed and held back: the lesser of the two counts, as a tie-break the code."""
    sums = split.astype({"item": str}).groupby("item")[["pushed", "reserved"]].sum()
    return str(sums.min(axis=1).sort_values(ascending=False, kind="stable").index[0])


def rows_of(plan: Plan, item: str) -> tuple[list[str], dict[tuple[str, str, str], float]]:
    """Labels of the bars, warehouses first, and units by label, kind (pushed, reserved) and channel."""
    split = plan.split.astype({"item": str, "site": str, "channel": str})
    mine = split[split["item"] == item]
    kind = plan.network.frame("sites").astype({"site": str}).set_index("site")["kind"].astype(str)
    mine = mine.assign(store=mine["site"].map(kind) == "store", total=mine["pushed"] + mine["reserved"])
    size = mine.groupby(["store", "site"], as_index=False)["total"].sum()
    size = size.sort_values(["store", "total", "site"], ascending=[True, False, True], ignore_index=True)
    stores = size.loc[size["store"], "site"].tolist()
    others = set(stores[MOST_STORES:])
    rest = f"{len(others)} other stores"
    label = {site: rest if site in others else f"store {site}" for site in stores}
    label |= {site: site for site in size.loc[~size["store"], "site"]}
    units: dict[tuple[str, str, str], float] = {}
    for row in mine.itertuples():
        for what in ("pushed", "reserved"):
            key = (label[str(row.site)], what, str(row.channel))
            units[key] = units.get(key, 0.0) + float(getattr(row, what))
    return list(dict.fromkeys(label[site] for site in size["site"])), units


def draw(plan: Plan, item: str) -> str:
    """Draw the picture as an SVG that stands alone."""
    labels, units = rows_of(plan, item)
    totals = [sum(v for (name, _, _), v in units.items() if name == label) for label in labels]
    ticks = svg.round_ticks(max(totals), 6)
    bottom = TOP + ROW * len(labels) + 6
    frame = svg.Frame(LEFT, RIGHT, TOP, bottom, ticks[-1], 1.0)
    parts = [svg.element("style", Markup(STYLE)), svg.element("rect", width=WIDTH, height=bottom + 56, fill="#fff")]
    items = plan.network.frame("items").astype({"item": str}).set_index("item")
    title = f"Item {item}, {str(items['description'].loc[item]).title()}: pushed now and held back"
    parts.append(svg.text(14, 26, title, "name"))
    parts += _legend(units)
    for tick in ticks:
        parts.append(svg.line(frame.x(tick), TOP - 4, frame.x(tick), bottom, "rule"))
        parts.append(svg.text(frame.x(tick), bottom + 18, number(tick), "tick", "middle"))
    for place, (label, total) in enumerate(zip(labels, totals, strict=True)):
        top, start = TOP + ROW * place, 0.0
        parts.append(svg.text(LEFT - 10, top + 15, label, "label", "end"))
        for (what, channel), colour in COLOURS.items():
            amount = units.get((label, what, channel), 0.0)
            if amount > 0:
                left, width = frame.x(start), frame.x(amount) - frame.x(0.0)
                parts.append(svg.element("rect", x=left, y=top + 2, width=width, height=ROW - 6, fill=colour))
                start += amount
        parts.append(svg.text(frame.x(total) + 6, top + 15, number(total), "tick"))
    parts.append(svg.line(LEFT, TOP - 4, LEFT, bottom, "axis"))
    first = plan.network.settings.start
    parts.append(svg.text((LEFT + RIGHT) / 2, bottom + 42, f"units, in the commit window of {first}", "", "middle"))
    size = {"viewBox": f"0 0 {WIDTH:g} {bottom + 56:g}", "width": f"{WIDTH:g}", "height": f"{bottom + 56:g}"}
    return (
        str(svg.element("svg", *parts, xmlns="http://www.w3.org/2000/svg", role="img", aria_label=title, **size)) + "\n"
    )


def _legend(units: dict[tuple[str, str, str], float]) -> list[Markup]:
    """Colours that occur, a line for what is pushed and one for what is reserved."""
    parts: list[Markup] = []
    for line, (what, words) in enumerate((("pushed", "Pushed now"), ("reserved", "Reserved for pull"))):
        top, left = 44.0 + 26 * line, LEFT
        parts.append(svg.text(LEFT - 10, top + 13, f"{words}:", "label", "end"))
        for channel, name in NAMES.items():
            if any(v > 0 for (_, kind, of), v in units.items() if (kind, of) == (what, channel)):
                parts.append(svg.element("rect", x=left, y=top + 1, width=14, height=14, fill=COLOURS[what, channel]))
                parts.append(svg.text(left + 20, top + 13, name))
                left += 190
    return parts


def main() -> None:
    """Draw from a plan that is there, or plan first."""
    plan = allocator.read_plan(sys.argv[1]) if len(sys.argv) > 1 else planned()
    TARGET.write_text(draw(plan, chosen(plan.split)), encoding="utf-8")
    sys.stderr.write(f"{TARGET.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
