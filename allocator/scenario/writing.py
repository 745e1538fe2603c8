"""What a scenario states as the text of its file: `tomllib` reads back the same."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_HEAD = ("base", "description")
_LISTS = ("change", "append", "sweep")


def document(stated: Mapping[str, Any]) -> str:
    """Write a scenario file in the form of docs/scenarios.md, fit or not: `parse_overlay` then says what is wrong with it."""
    lines = [f"{key} = {value_text(stated[key])}" for key in _HEAD if stated.get(key)]
    if stated.get("set"):
        lines += ["", "[set]", *_pairs(stated["set"])]
    for part in _LISTS:
        for entry in stated.get(part, []):
            lines += ["", f"[[{part}]]", *_pairs(entry)]
    return "\n".join(lines).strip() + "\n"


def _pairs(entry: Mapping[str, Any]) -> list[str]:
    lines = []
    for key, value in entry.items():
        if key == "rows":
            rows = ",\n".join(f"    {value_text(row)}" for row in value)
            lines.append(f"rows = [\n{rows},\n]")
        elif value is not None and value != {}:
            lines.append(f"{_key(key)} = {value_text(value)}")
    return lines


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else value_text(name)


def value_text(value: Any) -> str:
    """Write one TOML value, tables and lists inline.

    Raises
    ------
    TypeError
        For what a TOML file can't hold.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON's escapes are TOML's
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {value_text(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(value_text(one) for one in value) + "]"
    raise TypeError(f"a scenario file can't hold {type(value).__name__}")
