"""What a scenario file states: an overlay on a base network, as TOML, its form checked."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from allocator.tables.findings import Finding, nearest

_MAX_SIZE = 16 << 20
MEMBERS = 200
"""Most networks that one file's sweeps may make."""
_Number = Annotated[StrictInt | Annotated[float, Field(strict=True, allow_inf_nan=False)], Field()]
_Name = Annotated[StrictStr, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9_.-]+$")]


class Change(BaseModel):
    """One change of the rows of a table: those that match `where` get `set`, `scale` or `add`, or go."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="change")

    table: StrictStr = Field(description="table to change")
    where: dict[str, Any] = Field({}, description="column = value, or a list of values; none = every row")
    set: dict[str, Any] = Field({}, description='column = new value; "" blanks the cell')
    scale: dict[str, _Number] = Field({}, description="column = factor; blank cells stay blank")
    add: dict[str, _Number] = Field({}, description="column = amount to add (days, for a date)")
    drop: StrictBool = Field(False, description="true takes the rows away")


class Append(BaseModel):
    """Rows added to a table."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="append")

    table: StrictStr = Field(description="table to add to")
    rows: list[dict[str, Any]] = Field(description="the new rows, each { column = value, ... }", min_length=1)


class Sweep(BaseModel):
    """One number of the file, and the values it takes: a family of scenarios."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="sweep", populate_by_name=True)

    name: _Name = Field(description="what the number is called in the name of each member")
    change: StrictInt | None = Field(None, ge=1, description="which [[change]] it is in, from 1; none = [set]")
    key: StrictStr | None = Field(
        None, description='the number: "scale.mean", "set.max_share"; a change that holds one number needs none'
    )
    values: list[_Number] | None = Field(None, min_length=1, description="the values, or from, to and steps")
    from_: _Number | None = Field(None, alias="from", description="first value")
    to: _Number | None = Field(None, description="last value")
    steps: StrictInt | None = Field(None, ge=2, le=MEMBERS, description="how many values, the ends included")

    def taken(self) -> list[int | float]:
        """Return the values; those between `from` and `to` lie evenly."""
        if self.values is not None:
            return list(self.values)
        assert self.from_ is not None
        assert self.to is not None
        assert self.steps is not None
        span, last = self.to - self.from_, self.steps - 1
        return [float(f"{self.from_ + span * step / last:.12g}") for step in range(self.steps)]


class Content(BaseModel):
    """A scenario file."""

    model_config = ConfigDict(frozen=True, extra="forbid", title="Scenario of inventory-allocator")

    base: StrictStr | None = Field(None, description="network folder this file is planned on, seen from its own folder")
    description: StrictStr = Field("", description="what the scenario asks, in a sentence", max_length=1000)
    set: dict[str, Any] = Field({}, description="keys of network.toml")
    change: list[Change] = Field([], description="changes of rows, applied in order")
    append: list[Append] = Field([], description="rows added after the changes")
    sweep: list[Sweep] = Field([], description="numbers to vary: the file is then a family of scenarios")


@dataclass(frozen=True)
class Overlay:
    """One scenario: the content of a file, or one member of its family.

    Attributes
    ----------
    name : str
        The file's name without ``.toml``, and for a member ``NAME:share=0.2``.
    path : Path
        The file.
    content : Content
    """

    name: str
    path: Path
    content: Content

    @property
    def source(self) -> str:
        """What to call it in a finding."""
        return self.path.name

    def members(self) -> list[Overlay]:
        """Return the family, every combination of the swept values; the overlay itself when nothing is swept."""
        swept = [[(sweep, value) for value in sweep.taken()] for sweep in self.content.sweep]
        return [self._member(picked) for picked in itertools.product(*swept)] if swept else [self]

    def _member(self, picked: tuple[tuple[Sweep, int | float], ...]) -> Overlay:
        raw = self.content.model_dump(by_alias=True)
        for sweep, value in picked:
            holder, key = place_of(sweep, raw)
            holder[key] = value
        name = ":".join([self.name, *(f"{sweep.name}={value:.12g}" for sweep, value in picked)])
        return replace(self, name=name, content=Content.model_validate(raw | {"sweep": []}))


def place_of(sweep: Sweep, raw: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the table of the file that holds the swept number, and its key there.

    Raises
    ------
    LookupError
        When there is no such number; says what to write.
    """
    holder: Any
    if sweep.change is None:
        holder, words = dict(raw), (sweep.key or "").split(".")
        if words[0] != "set" or len(words) < 2:
            raise LookupError('give change = 1 and key = "scale.COLUMN", or key = "set.KEY" of [set]')
    elif sweep.change > len(raw["change"]):
        raise LookupError(f"there are {len(raw['change'])} changes; give the number of one of them")
    else:
        holder = raw["change"][sweep.change - 1]
        numbers = [
            (kind, column)
            for kind in ("set", "scale", "add")
            for column, value in holder[kind].items()
            if is_number(value)
        ]
        words = sweep.key.split(".") if sweep.key else []
        if not words:
            if len(numbers) != 1:
                shown = ", ".join(".".join(number) for number in numbers) or "none"
                raise LookupError(f"the change holds these numbers: {shown}; name one as key")
            words = list(numbers[0])
    for word in words[:-1]:
        holder = holder.get(word) if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or not is_number(holder.get(words[-1])):
        raise LookupError("state a number there, which the sweep then varies")
    return holder, words[-1]


def is_number(value: object) -> bool:
    """Whether a TOML value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def read_overlay(path: Path, findings: list[Finding]) -> Overlay | None:
    """Read a scenario file; faults of its form are reported and None returned."""
    try:
        if path.stat().st_size > _MAX_SIZE:
            findings.append(fault(path.name, None, None, "is larger than 16 MB", "append long tables in the network"))
            return None
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        findings.append(fault(path.name, None, None, "is not UTF-8", "save it as UTF-8"))
        return None
    except OSError as error:
        findings.append(_unread(path, error))
        return None
    return parse_overlay(text, path, findings)


def parse_overlay(text: str, path: Path, findings: list[Finding]) -> Overlay | None:
    """Read the text of a scenario file that lies, or is to lie, at a path; faults of its form are reported and None returned."""
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: no TOML, or a number without end
        findings.append(_unread(path, error))
        return None
    try:
        overlay = Overlay(path.stem, path, Content.model_validate(values))
    except ValidationError as error:
        findings += [_finding(dict(detail), path.name) for detail in error.errors(include_url=False)]
        return None
    return overlay if _sweeps_fit(overlay, findings) else None


def _unread(path: Path, error: Exception) -> Finding:
    return fault(path.name, None, None, f"can't be read ({str(error)[:200]})", "write it as TOML")


def _sweeps_fit(overlay: Overlay, findings: list[Finding]) -> bool:
    before, count, names = len(findings), 1, set()
    raw = overlay.content.model_dump(by_alias=True)
    for number, sweep in enumerate(overlay.content.sweep, 1):
        where = f"{overlay.source}, sweep {number}"
        line = (sweep.from_, sweep.to, sweep.steps)
        if (sweep.values is None) == all(part is None for part in line) or (None in line and any(map(is_number, line))):
            findings.append(fault(where, None, None, "states no series", "give values, or from, to and steps"))
            continue
        if sweep.name in names:
            findings.append(fault(where, "name", sweep.name, "is taken by another sweep", "give each its own"))
        names.add(sweep.name)
        count *= len(sweep.taken())
        try:
            place_of(sweep, raw)
        except LookupError as error:
            findings.append(fault(where, "key", sweep.key, "is no number of the file", str(error.args[0])))
    if count > MEMBERS:
        findings.append(
            fault(overlay.source, "sweep", None, f"makes {count:,} networks", f"keep it to {MEMBERS:,} or fewer")
        )
    return len(findings) == before


def fault(source: str, column: str | None, value: object, rule: str, mend: str) -> Finding:
    """One fault of a scenario file."""
    return Finding("scenario", None, column, None if value is None else str(value), rule, mend, source)


def _finding(detail: dict[str, Any], source: str) -> Finding:
    where, place, fields = source, list(detail["loc"]), list(Content.model_fields)
    models: dict[str, type[BaseModel]] = {"change": Change, "append": Append, "sweep": Sweep}
    if len(place) > 1 and place[0] in models and isinstance(place[1], int):
        where, fields = f"{source}, {place[0]} {place[1] + 1}", list(models[str(place[0])].model_fields)
        place = place[2:]
    key = ".".join(str(part) for part in place if not str(part).startswith(("constrained", "int", "float"))) or None
    value = detail.get("input")
    text = None if isinstance(value, dict | list) else value
    kind = detail["type"]
    if kind == "missing":
        return fault(where, key, None, "is missing", "give it")
    if kind == "extra_forbidden":
        like = nearest(str(place[-1]), fields)
        known = ", ".join(name.rstrip("_") for name in fields)
        return fault(where, key, None, "is not known", f"rename it to {like}" if like else f"the keys are {known}")
    if kind in ("int_type", "float_type", "finite_number"):
        return fault(where, key, text, "is not a number", "give a number")
    message = str(detail["msg"])
    return fault(where, key, text, "is not fit", message[0].lower() + message[1:])
