"""JSON Schema of a scenario file, for editors; made from the tables' declaration (docs/schema/scenario.schema.json).

Write it again with ``python -m allocator.scenario.json_schema > docs/schema/scenario.schema.json``.
"""

from __future__ import annotations

import sys
from typing import Any

from pydantic import BaseModel

from allocator.scenario.overlay import Append, Change, Content, Sweep
from allocator.tables.columns import Column, TableSpec
from allocator.tables.json_schema import DIALECT, settings_schema, written
from allocator.tables.schema import SCHEMA

Schema = dict[str, Any]


def scenario_schema() -> Schema:
    """Return the schema of a scenario file: which columns may be asked for, set, scaled or added to in each table."""
    settings = settings_schema()
    parts: dict[str, Schema] = {
        "base": {"type": "string"},
        "description": {"type": "string", "maxLength": 1000},
        "set": {"type": "object", "additionalProperties": False, "properties": settings["properties"]},
        "change": {"type": "array", "items": _by_table(Change, _change)},
        "append": {"type": "array", "items": _by_table(Append, _append)},
        "sweep": {"type": "array", "items": _sweep()},
    }
    assert parts.keys() == Content.model_fields.keys()
    return {
        "$schema": DIALECT,
        "title": "Scenario of inventory-allocator",
        "description": "An overlay on a base network; docs/scenarios.md shows how they are written.",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _about(Content, name) | body for name, body in parts.items()},
    }


def _about(model: type[BaseModel], name: str) -> Schema:
    return {"description": model.model_fields[name].description}


def _by_table(model: type[BaseModel], columns: Any) -> Schema:
    """Describe an entry whose keys depend on its table: an editor offers what fits the table already typed."""
    fields = {name: _about(model, name) for name in model.model_fields}
    return {
        "type": "object",
        "required": [name for name, field in model.model_fields.items() if field.is_required()],
        "additionalProperties": False,
        "properties": fields | {"table": fields["table"] | {"enum": list(SCHEMA)}},
        "allOf": [
            {
                "if": {"properties": {"table": {"const": name}}, "required": ["table"]},
                "then": {"properties": columns(spec)},
            }
            for name, spec in SCHEMA.items()
        ],
    }


def _change(spec: TableSpec) -> Schema:
    plain = [column for column in spec.columns if not column.key]
    figures = [column for column in plain if column.kind in ("amount", "whole") and not column.wild]
    days = [column for column in plain if column.kind == "date" and not column.wild]
    return {
        "where": _keyed(
            spec.columns, lambda column: {"anyOf": [_cell(column), {"type": "array", "items": _cell(column)}]}
        ),
        "set": _keyed(plain, _new),
        "scale": _keyed(figures, lambda column: {"type": "number"}),
        "add": _keyed([*figures, *days], lambda column: {"type": "integer" if column.kind == "date" else "number"}),
        "drop": {"type": "boolean"},
    }


def _append(spec: TableSpec) -> Schema:
    row = _keyed(spec.columns, _new) | {"required": [column.name for column in spec.columns if column.required]}
    return {"rows": {"type": "array", "minItems": 1, "items": row}}


def _keyed(columns: Any, make: Any) -> Schema:
    described = {column.name: {"description": _meaning(column)} | make(column) for column in columns}
    return {"type": "object", "additionalProperties": False, "properties": described}


def _meaning(column: Column) -> str:
    return column.about + (f" [{column.unit}]" if column.unit else "")


def _cell(column: Column) -> Schema:
    """Describe a value that a cell may hold; an empty string stands for a blank one."""
    kinds: dict[str, Schema] = {
        "amount": {"type": "number"},
        "whole": {"type": "integer"},
        "flag": {"type": "boolean"},
        "date": {"type": "string", "format": "date"},
        "code": {"type": ["string", "integer"]},
    }
    if column.wild and column.kind == "date":
        return {"type": "string"}
    if column.choices:
        return {"enum": list(column.choices)}
    return dict(kinds.get(column.kind, {"type": "string"}))


def _new(column: Column) -> Schema:
    cell = _cell(column)
    if column.lo is not None:
        cell["exclusiveMinimum" if column.above else "minimum"] = column.lo
    if column.hi is not None:
        cell["maximum"] = column.hi
    return cell if column.required else {"anyOf": [cell, {"const": ""}]}


def _sweep() -> Schema:
    made = Sweep.model_json_schema()
    kept = {}
    for name, body in made["properties"].items():
        choices = [choice for choice in body.get("anyOf", []) if choice.get("type") != "null"]
        inner = choices[0] if len(choices) == 1 else {"type": "number"} if choices else body
        kept[name] = {key: value for key, value in inner.items() if key not in ("title", "default", "anyOf")}
        kept[name]["description"] = body["description"]
    kept["values"]["items"] = {"type": "number"}
    return {"type": "object", "required": made["required"], "additionalProperties": False, "properties": kept}


def scenario_file() -> str:
    """Return docs/schema/scenario.schema.json."""
    return written(scenario_schema())


if __name__ == "__main__":
    sys.stdout.write(scenario_file())
