"""The settings of a network: network.toml, checked."""

from __future__ import annotations

import datetime
import tomllib
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from allocator.tables.findings import Faults, Finding, InputError, nearest
from allocator.tables.sources import File

FILE = "network.toml"
MAX_SIZE = 1 << 20
_Name = Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
_Days = Annotated[StrictInt, Field(ge=1)]
_Money = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Settings(BaseModel):
    """The settings of a network.

    Attributes
    ----------
    name, currency : str
        What the network is called, and the currency of all costs.
    start : datetime.date
        First day planned.
    horizon_days : int
        Days planned.
    buckets : tuple of int
        Length of each bucket [days]; they sum to `horizon_days`. Daily when not given.
    commit_days : int
        Shipments in buckets that begin before ``start + commit_days`` are executed.
    outlooks : int
        Demand paths to plan against; 1 = the mean.
    seed : int
        Seed of everything drawn.
    common_factor : float
        Share of each demand point's variance that all points of its item and day have in common [1].
    min_fill : dict of str to float
        Channel -> least share of its demand to serve.
    change_cost : float
        Cost per unit moved otherwise than in the previous plan [currency/unit].
    previous_plan : pathlib.Path or None
        The plan to stay close to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Name = Field(description="what the network is called")
    currency: _Name = Field(description="the currency of all costs")
    start: datetime.date = Field(description="first day planned")
    horizon_days: StrictInt = Field(ge=1, le=3660, description="days planned")
    buckets: tuple[_Days, ...] = Field((), description="days of each bucket, summing to horizon_days; none = daily")
    commit_days: StrictInt = Field(1, ge=1, le=3660, description="shipments in these first days are executed")
    outlooks: StrictInt = Field(1, ge=1, le=10_000, description="demand paths to plan against; 1 = the mean")
    seed: StrictInt = Field(0, ge=0, le=2**63 - 1, description="seed of everything drawn")
    common_factor: _Share = Field(
        0.0, description="share of variance that all demand of an item on a day has in common"
    )
    min_fill: dict[str, _Share] = Field({}, description="table of channel = least share of its demand to serve")
    change_cost: _Money = Field(0.0, description="cost per unit moved otherwise than in the previous plan")
    previous_plan: Path | None = Field(None, description="plan folder to stay close to, seen from the network's folder")

    @field_validator("start", mode="before")
    @classmethod
    def _a_day(cls, value: object) -> object:
        if isinstance(value, str):
            try:
                value = datetime.datetime.strptime(value, "%Y-%m-%d").date()
            except ValueError:
                value = None
        if type(value) is not datetime.date or not 1900 <= value.year <= 9000:
            raise PydanticCustomError("day", "is not an ISO day; write it as 2026-01-31")
        return value

    @field_validator("change_cost", "common_factor", mode="before")
    @classmethod
    def _a_number(cls, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise PydanticCustomError("number", "is not a number; give a number of 0 or more")
        return value

    @field_validator("min_fill", mode="before")
    @classmethod
    def _shares(cls, value: object) -> object:
        if not isinstance(value, Mapping) or not all(type(share) in (int, float) for share in value.values()):
            raise PydanticCustomError("shares", "is not a table of channel = share; write it as [min_fill] web = 0.9")
        return {unicodedata.normalize("NFC", str(channel)).strip(): share for channel, share in value.items()}

    @model_validator(mode="after")
    def _buckets_fill_the_horizon(self) -> Settings:
        if not self.buckets:
            object.__setattr__(self, "buckets", (1,) * self.horizon_days)
        if sum(self.buckets) != self.horizon_days:
            raise PydanticCustomError(
                "buckets",
                "buckets sum to {found} days, horizon_days is {wanted}; make them agree",
                {"found": sum(self.buckets), "wanted": self.horizon_days},
            )
        return self

    @property
    def end(self) -> datetime.date:
        """First day after the horizon."""
        return self.start + datetime.timedelta(days=self.horizon_days)


def make_settings(values: Mapping[str, Any], source: str = FILE) -> Settings:
    """Return checked settings.

    Raises
    ------
    InputError
        With every fault found.
    """
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as error:
        raise InputError([_finding(dict(detail), source) for detail in error.errors(include_url=False)]) from None


def read_settings(file: File, folder: Path | None, faults: Faults) -> Settings | None:
    """Read network.toml; faults are reported and None returned. `previous_plan` is taken from `folder`, where there is one."""
    try:
        if not file.is_file():
            faults.file("network", file.name, "is missing", "add it with name, currency, start, horizon_days")
            return None
        if file.size() > MAX_SIZE:
            faults.file("network", file.name, "is larger than 1 MB", "keep only the settings in it")
            return None
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        faults.file("network", file.name, "is not UTF-8", "save it as UTF-8")
        return None
    except OSError as error:
        faults.file("network", file.name, f"can't be read ({str(error)[:200]})", "check the file and write it again")
        return None
    values = parse_settings(text, file.name, faults)
    return None if values is None else checked_settings(values, file.name, folder, faults)


def parse_settings(text: str, source: str, faults: Faults) -> dict[str, Any] | None:
    """Return the values of a TOML text; faults are reported and None returned."""
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:  # ValueError: no TOML, or a number without end
        faults.file("network", source, f"can't be read ({str(error)[:200]})", "write it as TOML")
        return None


def checked_settings(values: dict[str, Any], source: str, folder: Path | None, faults: Faults) -> Settings | None:
    """Return checked settings; faults are reported and None returned."""
    previous = values.get("previous_plan")
    if isinstance(previous, str):
        if folder is None and not Path(previous).is_absolute():
            rule = "is no absolute path, and the network lies in no folder that it could be seen from"
            faults.whole.append(
                Finding(
                    "network", None, "previous_plan", previous, rule, "give the whole path of the plan folder", source
                )
            )
            return None
        values["previous_plan"] = Path(previous) if folder is None else folder / previous
    try:
        return make_settings(values, source)
    except InputError as error:
        faults.whole += error.findings
        return None


def _finding(detail: dict[str, Any], source: str) -> Finding:
    key = ".".join(str(part) for part in detail["loc"]) or None
    value, context = detail.get("input"), detail.get("ctx", {})
    text = None if isinstance(value, dict) else str(value)
    kind = detail["type"]
    if kind == "missing":
        return Finding("network", None, key, None, "is missing", "give it", source)
    if kind == "extra_forbidden":
        known = list(Settings.model_fields)
        like = nearest(str(key), known)
        mend = f"rename it to {like}" if like else f"drop it; the keys are {', '.join(known)}"
        return Finding("network", None, key, None, "is not a setting", mend, source)
    if kind == "greater_than_equal":
        rule, mend = f"is below {context['ge']}", f"give {context['ge']} or more"
    elif kind == "less_than_equal":
        rule, mend = f"is above {context['le']}", f"give {context['le']} or less"
    elif ";" in detail["msg"]:
        rule, _, mend = (part.strip() for part in detail["msg"].partition(";"))
    elif kind.startswith("int"):
        rule, mend = "is not a whole number", "give a whole number"
    elif kind in ("tuple_type", "list_type"):
        rule, mend = "is not a list of days", "write it as [1, 1, 7]"
    else:
        rule, mend = "is not fit", detail["msg"][0].lower() + detail["msg"][1:]
    return Finding("network", None, key, text, rule, mend, source)
