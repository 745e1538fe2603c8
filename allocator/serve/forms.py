"""A scenario as a form, and back: the changes field by field, the rest of the file as text, every fault beside its field."""

from __future__ import annotations

import datetime
import math
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, takewhile
from typing import Any

from allocator.scenario.overlay import Content
from allocator.scenario.values import text_of
from allocator.scenario.writing import document
from allocator.serve.asked import Asked
from allocator.tables.findings import Finding
from allocator.tables.schema import SCHEMA

KINDS = ("set", "scale", "add")
BLANK = '""'
"""How a form writes the blank cell."""
REST = ("set", "append", "sweep")
"""Parts of the file that the form holds as text."""
_CHANGE = re.compile(r", change (\d+)\b")
Errors = dict[str, list[str]]


@dataclass(frozen=True)
class Row:
    """One line of a change: a column, and what it must be (one value a line) or becomes."""

    column: str = ""
    value: str = ""
    kind: str = ""


@dataclass(frozen=True)
class ChangeForm:
    """One `[[change]]`."""

    table: str = ""
    where: Sequence[Row] = (Row(),)
    edits: Sequence[Row] = (Row(kind="set"),)
    drop: bool = False


@dataclass(frozen=True)
class ScenarioForm:
    """A scenario file as the form shows it.

    Attributes
    ----------
    name, network, description : str
        The file's name without .toml; the network's place; what it asks.
    changes : sequence of ChangeForm
    rest : str
        `[set]`, `[[append]]` and `[[sweep]]` as TOML.
    """

    name: str
    network: str
    description: str = ""
    changes: Sequence[ChangeForm] = field(default=(ChangeForm(),))
    rest: str = ""


def shown(name: str, network: str, content: Content) -> ScenarioForm:
    """Fill the form from a file."""
    stated = content.model_dump(by_alias=True, exclude_unset=True)
    changes = [
        ChangeForm(
            change["table"],
            [Row(column, _lines(value)) for column, value in change.get("where", {}).items()] or [Row()],
            [Row(column, _text(value), kind) for kind in KINDS for column, value in change.get(kind, {}).items()]
            or [Row(kind="set")],
            change.get("drop", False),
        )
        for change in stated.get("change", [])
    ]
    rest = {part: stated[part] for part in REST if stated.get(part)}
    return ScenarioForm(name, network, content.description, changes, document(rest).strip())


def whole(form: ScenarioForm, content: Content) -> bool:
    """Whether the form holds all of a file: no line break in a field of one line, no list without values."""
    errors: Errors = {}
    back = stated(form, content.base or "", errors)
    broken = any("\n" in row.value for change in form.changes for row in change.edits)
    stays = document(content.model_dump(by_alias=True, exclude_unset=True))
    same = _texts(tomllib.loads(document(back))) == _texts(tomllib.loads(stays))
    return same and not broken and not errors


def _texts(value: Any) -> Any:
    """A part of a file with every value as text: a day in quotes is the same day."""
    if isinstance(value, dict):
        return {key: _texts(one) for key, one in value.items() if one != {} and key != "base"}
    return [_texts(one) for one in value] if isinstance(value, list) else text_of(value)


def read_form(asked: Asked) -> ScenarioForm:
    """Read what was sent; lines left empty stay, so that the form comes back as it was."""
    changes = []
    for head in takewhile(lambda head: asked.has(f"{head}-table"), (f"change-{number}" for number in count())):
        where = [
            Row(asked.one(f"{head}-where-{j}-column"), asked.one(f"{head}-where-{j}-value"))
            for j in _rows(asked, f"{head}-where")
        ]
        edits = [
            Row(*(asked.one(f"{head}-edit-{j}-{part}") for part in ("column", "value", "kind")))
            for j in _rows(asked, f"{head}-edit")
        ]
        changes.append(ChangeForm(asked.one(f"{head}-table"), where, edits, asked.has(f"{head}-drop")))
    return ScenarioForm(
        asked.one("name").strip(), asked.one("network"), asked.one("description").strip(), changes, asked.one("rest")
    )


def _rows(asked: Asked, head: str) -> Iterable[int]:
    return takewhile(lambda j: asked.has(f"{head}-{j}-column"), count())


def stated(form: ScenarioForm, base: str, errors: Errors) -> dict[str, Any]:
    """Give what the file is to state; what the form can't say is put beside its field."""
    values: dict[str, Any] = {"base": base}
    if form.description:
        values["description"] = form.description
    try:
        rest = tomllib.loads(form.rest)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        errors.setdefault("rest", []).append(f"can't be read ({error}); write it as TOML")
        rest = {}
    for key in sorted(rest.keys() - set(REST)):
        errors.setdefault("rest", []).append(f"{key} does not belong here; the form above has it, or take it away")
    changes = [_change(change, f"change-{number}", errors) for number, change in enumerate(form.changes)]
    return values | ({"change": changes} if changes else {}) | {key: rest[key] for key in REST if key in rest}


def _change(change: ChangeForm, head: str, errors: Errors) -> dict[str, Any]:
    kinds = {} if change.table not in SCHEMA else {column.name: column.kind for column in SCHEMA[change.table].columns}
    made: dict[str, Any] = {"table": change.table, "where": {}} | {kind: {} for kind in KINDS}
    for j, row in enumerate(change.where):
        values = [_value(line, kinds.get(row.column, "text")) for line in row.value.split("\n") if line.strip()]
        if not row.column and not values:
            continue
        if not row.column or not values or row.column in made["where"]:
            said = (
                "name a column"
                if not row.column
                else "give a value"
                if not values
                else "the column stands twice; write its values one a line"
            )
            errors.setdefault(f"{head}-where-{j}", []).append(said)
            continue
        made["where"][row.column] = values[0] if len(values) == 1 else values
    for j, row in enumerate(change.edits):
        text = row.value.strip()
        if not row.column and not text:
            continue
        kind = row.kind if row.kind in KINDS else "set"
        if not row.column or not text or row.column in made[kind]:
            said = (
                "name a column"
                if not row.column
                else f"give a value; {BLANK} blanks the cell"
                if not text
                else "the column stands twice"
            )
            errors.setdefault(f"{head}-edit-{j}", []).append(said)
            continue
        made[kind][row.column] = _value(text, kinds.get(row.column, "text") if kind == "set" else "amount")
    if change.drop:
        made["drop"] = True
    return {key: value for key, value in made.items() if value != {}}


def _value(text: str, kind: str) -> Any:
    """Read one value as its column has it; what does not fit stays text, and the check of the scenario says so."""
    text = text.strip()
    if text == BLANK:
        return ""
    if kind == "flag":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in ("amount", "whole"):
        try:
            number = float(text)
        except ValueError:
            return text
        return text if not math.isfinite(number) else int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else number
    if kind == "date":
        try:
            return datetime.date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text
        except ValueError:
            return text
    return text


def _text(value: Any) -> str:
    return BLANK if value == "" else text_of(value)


def _lines(value: Any) -> str:
    return "\n".join(_text(one) for one in value) if isinstance(value, list) else _text(value)


def beside(findings: Iterable[Finding], form: ScenarioForm, errors: Errors) -> None:
    """Put every finding beside the field it is about."""
    for finding in findings:
        errors.setdefault(_place(finding, form), []).append(_said(finding))


def _place(finding: Finding, form: ScenarioForm) -> str:
    file = f"{form.name}.toml"
    named = _CHANGE.search(finding.source if finding.source.startswith(file) else finding.rule)
    if named is None:
        return "rest" if finding.source.startswith(f"{file}, ") else "top"
    number = int(named[1]) - 1
    if number >= len(form.changes):
        return "top"
    return _row_of(finding.column or "", form.changes[number], f"change-{number}")


def _row_of(where: str, change: ChangeForm, head: str) -> str:
    """The row of a change that a finding's column names: ``where.item``, ``scale.mean``."""
    part, _, column = where.partition(".")
    rows = change.where if part == "where" else change.edits
    for j, row in enumerate(rows):
        if row.column == column and (part == "where" or row.kind == part):
            return f"{head}-{'where' if part == 'where' else 'edit'}-{j}"
    return f"{head}-table" if where == "table" else head


def _said(finding: Finding) -> str:
    """A finding without the place that its field already shows."""
    if finding.table == "scenario":
        return str(Finding("scenario", None, None, finding.value, finding.rule, finding.mend, "\0")).removeprefix(
            "\0: "
        )
    return str(finding)


def filled(form: ScenarioForm) -> ScenarioForm:
    """Leave out changes in which nothing was typed."""
    kept = [
        change
        for change in form.changes
        if change.table or change.drop or any(row.column or row.value for row in (*change.where, *change.edits))
    ]
    return replace(form, changes=kept)


def reshaped(form: ScenarioForm, action: str) -> ScenarioForm | None:
    """Do what a button asks that only reshapes the form: ``add-change``, ``add-where-0``, ``add-edit-0``, ``remove-0``; None for any other."""
    found = re.fullmatch(r"(add-change|add-where|add-edit|remove)(?:-(\d{1,4}))?", action)
    if not found:
        return None
    changes, what, number = list(form.changes), found[1], int(found[2] or 0)
    if what == "add-change":
        changes.append(ChangeForm())
    elif number < len(changes):
        old = changes[number]
        if what == "remove":
            del changes[number]
        elif what == "add-where":
            changes[number] = replace(old, where=[*old.where, Row()])
        else:
            changes[number] = replace(old, edits=[*old.edits, Row(kind="set")])
    return replace(form, changes=changes)
