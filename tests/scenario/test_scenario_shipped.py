"""The shipped scenarios and the schemas for editors."""

from __future__ import annotations

import datetime
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

import allocator
from allocator.scenario import expand, read_chosen
from allocator.scenario.json_schema import scenario_schema
from allocator.tables import SCHEMA
from allocator.tables.json_schema import settings_schema
from allocator.tables.settings import Settings

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "scenarios").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenario_reads(path: Path) -> None:
    """Each shipped scenario says what it asks and gives another network than the demo."""
    base = allocator.read(ROOT / "scenarios" / "iowa").input_hash
    hashes = [read_chosen(chosen).input_hash for chosen in expand(path)]
    assert base not in hashes
    assert len(set(hashes)) == len(hashes)
    assert tomllib.loads(path.read_text(encoding="utf-8"))["description"].endswith(".")


def test_six_kinds_are_shipped() -> None:
    """The kinds an analyst asks for first are there."""
    wanted = {"promo", "dc-out", "late-supplier", "tight-online", "push-only", "pull-only", "jit"}
    assert wanted <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize("path", [*SHIPPED, ROOT / "scenarios" / "iowa" / "network.toml"], ids=lambda path: path.stem)
def test_shipped_files_name_their_schema(path: Path) -> None:
    """An editor finds the schema from the first line."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("#:schema ")
    named = (path.parent / first.removeprefix("#:schema ")).resolve()
    assert named.is_file()
    assert named.name == ("network.schema.json" if path.name == "network.toml" else "scenario.schema.json")


def test_schemas_name_every_column_and_setting() -> None:
    """Whatever a table or network.toml may hold, an editor can complete, with its meaning."""
    schema = scenario_schema()
    assert settings_schema()["properties"].keys() == Settings.model_fields.keys()
    assert schema["properties"]["set"]["properties"].keys() == Settings.model_fields.keys()
    rules = schema["properties"]["change"]["items"]["allOf"]
    assert [rule["if"]["properties"]["table"]["const"] for rule in rules] == list(SCHEMA)
    for rule, spec in zip(rules, SCHEMA.values(), strict=True):
        offered = rule["then"]["properties"]
        assert list(offered["where"]["properties"]) == spec.names
        assert set(offered["set"]["properties"]) == set(spec.names) - set(spec.keys)
        assert set(offered["scale"]["properties"]) <= set(offered["set"]["properties"])


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_json(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def test_shipped_files_fit_their_schemas() -> None:
    """The schemas accept what ships and refuse a misspelt column and word."""
    jsonschema = pytest.importorskip("jsonschema")
    scenario = jsonschema.Draft7Validator(json.loads((ROOT / "docs/schema/scenario.schema.json").read_text()))
    network = jsonschema.Draft7Validator(json.loads((ROOT / "docs/schema/network.schema.json").read_text()))
    for path in SHIPPED:
        assert scenario.is_valid(_as_json(tomllib.loads(path.read_text(encoding="utf-8")))), path.name
    assert network.is_valid(_as_json(tomllib.loads((ROOT / "scenarios/iowa/network.toml").read_text(encoding="utf-8"))))
    for wrong in ({"metod": "push"}, {"method": "psh"}, {"origin": "DC"}):
        assert not scenario.is_valid({"change": [{"table": "lanes", "set": wrong}]})
