"""The page that documents the input tables, made from their declaration (docs/tables.md).

Write it again with ``python -m allocator.tables.page > docs/tables.md`` after changing the schema.
"""

from __future__ import annotations

import sys

from allocator.tables.columns import Column, TableSpec
from allocator.tables.schema import SCHEMA
from allocator.tables.settings import Settings

_HEAD = """# Input tables

Made from `allocator/tables/schema.py` by `python -m allocator.tables.page > docs/tables.md`; do not edit by hand.

A network is a folder with `network.toml` and one file for each table, `NAME.parquet` or `NAME.csv` (UTF-8, commas,
column names in the first line); object stores and databases hold the same tables ([sources.md](sources.md)). What the figures mean
to the day and to the unit is in [semantics.md](semantics.md).

- **Codes** are text: `00123` keeps its zeros, `NA` and `nan` are codes like any other. Blanks around them are trimmed,
  they are held in the composed Unicode form (NFC), and may not hold control or invisible characters; 200 at most.
- **Days** are ISO days (`2026-01-31`), in Parquet also dates, or timestamps at midnight without a zone.
- **Amounts** are plain decimal numbers, **whole** numbers have no fraction; none may exceed 1e12.
  Sizes that stand beside quantities (quantum, unit_volume, packs, vehicles, shares) may not lie between 0 and 1e-8: the solver would take them for 0.
- **Flags** are true or false (1 or 0). Choices are written exactly as shown.
- A column marked *key* is part of the table's key: no two rows share a key. *required* columns may not be blank; blank
  cells of the others take the default shown, or stay empty.
- The order of rows and columns means nothing. Unknown columns are refused.
"""


def schema_page() -> str:
    """Return the Markdown page of all input tables."""
    parts = [_HEAD, _settings_part(), *(_table_part(table) for table in SCHEMA.values())]
    return "\n".join(parts)


def _table_part(table: TableSpec) -> str:
    absent = " May be absent." if table.optional else ""
    lines = [f"## {table.name}\n", f"{table.about}{absent}\n", "| column | type | unit | blank | meaning |"]
    lines.append("|---|---|---|---|---|")
    lines += [_row(column) for column in table.columns]
    return "\n".join(lines) + "\n"


def _row(column: Column) -> str:
    name = f"`{column.name}`" + (" *key*" if column.key else "")
    kind = " or ".join(f"`{choice}`" for choice in column.choices) or column.kind
    kind += " or `*`" if column.wild else ""
    default = column.default if not isinstance(column.default, float) else f"{column.default:g}"
    blank = "*required*" if column.required else "stays empty" if default is None else f"`{default!s}`"
    about = column.about + (f"; one of `{column.refers}`" if column.refers else "") + _bounds(column)
    return f"| {name} | {kind} | {column.unit} | {blank} | {about} |"


def _bounds(column: Column) -> str:
    low = "" if column.lo is None else f"{'above' if column.above else 'at least'} {column.lo:g}"
    high = "" if column.hi is None else f"at most {column.hi:g}"
    both = ", ".join(part for part in (low, high) if part)
    return f" ({both})" if both else ""


def _settings_part() -> str:
    lines = ["## network.toml\n", "| key | blank | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        none = field.default is None or field.default in ((), {})
        blank = "*required*" if field.is_required() else "none" if none else f"`{field.default}`"
        lines.append(f"| `{name}` | {blank} | {field.description} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_page())
