"""What a notebook shows of a network: a small table, names from data always escaped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from allocator.tables.tables import Tables

LEFT, RIGHT = Markup("text-align:left"), Markup("text-align:right")


def network_card(tables: Tables) -> str:
    """Draw a network: name, horizon, rows of each table, notes."""
    settings = tables.settings
    rows = [(name, f"{tables.encoded(name).num_rows:,}") for name in tables if tables.encoded(name).num_rows]
    notes = [str(note) for note in tables.notes]
    aside = len(tables.quarantined)
    notes += [f"{aside:,} rows set aside, see .quarantined"] if aside else []
    title = f"{settings.name}: {settings.horizon_days} days from {settings.start.isoformat()}, {settings.currency}"
    return card(title, ("table", "rows"), rows, notes)


def card(title: str, heads: Iterable[str], rows: Iterable[Iterable[str]], notes: Iterable[str]) -> str:
    """Draw a title, a table and notes; whatever comes from data is escaped."""

    def cells(tag: str, words: Iterable[str]) -> Markup:
        """Write one row."""
        written = [
            Markup('<{0} style="{1}">{2}</{0}>').format(Markup(tag), RIGHT if place else LEFT, word)
            for place, word in enumerate(words)
        ]
        return Markup("<tr>{}</tr>").format(Markup("").join(written))

    head, body = cells("th", heads), Markup("").join(cells("td", row) for row in rows)
    said = Markup("").join(Markup("<li>{}</li>").format(note) for note in notes)
    table = Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(head, body)
    return str(
        Markup("<div><strong>{}</strong>{}{}</div>").format(
            title, table, Markup("<ul>{}</ul>").format(said) if said else ""
        )
    )
