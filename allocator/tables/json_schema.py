"""JSON Schema of network.toml, for editors; made from the settings themselves (docs/schema/network.schema.json).

Write it again with ``python -m allocator.tables.json_schema > docs/schema/network.schema.json``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from allocator.tables.settings import Settings

DIALECT = "http://json-schema.org/draft-07/schema#"


def settings_schema() -> dict[str, Any]:
    """Return the schema of network.toml; draft 7, which the TOML editors read."""
    made = Settings.model_json_schema()
    return {
        "$schema": DIALECT,
        "title": "network.toml of inventory-allocator",
        "description": "Settings of a network folder; docs/tables.md says what they mean.",
        "type": "object",
        "additionalProperties": False,
        "required": made["required"],
        "properties": {name: _property(name, body) for name, body in made["properties"].items()},
    }


def _property(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Drop what pydantic adds for itself: titles, and null, which TOML does not have."""
    kept = {key: value for key, value in body.items() if key not in ("title", "default", "anyOf")}
    if "anyOf" in body:
        kept |= next(choice for choice in body["anyOf"] if choice.get("type") != "null")
    if body.get("default") not in (None, [], {}):
        kept["default"] = body["default"]
    return {key: value for key, value in kept.items() if (key, value) != ("format", "path")}


def written(schema: dict[str, Any]) -> str:
    """Write a schema as the file holds it."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def settings_file() -> str:
    """Return docs/schema/network.schema.json."""
    return written(settings_schema())


if __name__ == "__main__":
    sys.stdout.write(settings_file())
