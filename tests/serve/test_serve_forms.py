"""A scenario's form: nothing lost on the way to the form and back, every fault beside its field, no file replaced unseen."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from allocator.scenario import read, read_overlay
from allocator.scenario.overlay import Content
from allocator.scenario.writing import document
from allocator.serve.asked import Asked
from allocator.serve.forms import read_form, shown, stated, whole
from allocator.serve.saving import NotSavedError, digest, save
from tests.serve.served import Client, served, write_network

ALL = """
description = "Quotes \\" and \\\\ and é, a tab \\t."
[set]
commit_days = 1
min_fill = { web = 0.5 }
[[change]]
table = "forecasts"
where = { item = ["milk", "bolt"], date = [2026-03-02, 2026-03-03], channel = "walk" }
scale = { mean = 2.0 }
add = { std = 1 }
[[change]]
table = "items"
where = { item = "milk", rotation = "" }
set = { shelf_life_days = 9, rotation = "" }
[[change]]
table = "lots"
where = { lot = "M1" }
drop = true
[[append]]
table = "capacities"
rows = [{ site = "DC", resource = "inbound", date = 2026-03-03, volume = 0 }, { site = "DC", resource = "outbound", date = "2026-03-03", volume = 1.5 }]
[[sweep]]
name = "factor"
change = 1
key = "scale.mean"
from = 1.5
to = 2.5
steps = 3
"""
SHIPPED = sorted((Path(__file__).parents[2] / "scenarios").glob("*.toml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with a scenario beside it."""
    folder = tmp_path_factory.mktemp("forms")
    write_network(folder, promo='base = "small"\n[[change]]\ntable = "forecasts"\nscale = { mean = 2.0 }\n')
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    """A browser at the page over it."""
    with served(folder) as client:
        yield client


@pytest.mark.parametrize("text", [ALL, *(path.read_text(encoding="utf-8") for path in SHIPPED)])
def test_a_file_goes_through_the_form_unchanged(text: str) -> None:
    """File to form to file: the content is the same, with dates, blanks, lists, rows and sweeps."""
    values = {"base": "small"} | tomllib.loads(text)
    content = Content.model_validate(values)
    assert Content.model_validate(tomllib.loads(document(values))) == content
    errors: dict[str, list[str]] = {}
    form = shown("x", "small", content)
    back = stated(form, values["base"], errors)
    assert errors == {}
    assert whole(form, content)
    assert Content.model_validate(back) == content


@pytest.mark.parametrize(
    "odd", ["where = { item = [] }", 'set = { description = "a\\nb" }', """set = { description = '""' }"""]
)
def test_what_a_form_would_lose_is_not_edited(client: Client, folder: Path, odd: str) -> None:
    """A file with a value that no field of the form can hold is left to an editor, with the reason."""
    rest = "" if odd.startswith("set") else "set = { unit_cost = 1 }\n"
    (folder / "odd.toml").write_text(f'base = "small"\n[[change]]\ntable = "items"\n{odd}\n{rest}', encoding="utf-8")
    try:
        answer = client.get("/edit", scenario="odd.toml")
    finally:
        (folder / "odd.toml").unlink()
    assert answer.status == 409
    assert "edit the file by hand" in answer.words


def test_long_forms_are_read_whole() -> None:
    """No change and no line of a form is left out, however many there are."""
    fields = [
        f"change-{n}-table=items&change-{n}-edit-0-column=unit_cost&change-{n}-edit-0-value={n}" for n in range(300)
    ]
    fields += [f"change-0-where-{j}-column=item&change-0-where-{j}-value={j}" for j in range(80)]
    form = read_form(Asked.of("&".join(fields)))
    assert [change.edits[0].value for change in form.changes] == [str(n) for n in range(300)]
    assert len(form.changes[0].where) == 80


def change(**more: str) -> dict[str, str]:
    """The fields of a form with one change of the milk's forecast."""
    fields = {
        **{
            "network": "small",
            "name": "mine",
            "description": "",
            "rest": "",
            "action": "save",
            "change-0-table": "forecasts",
        },
        **{"change-0-where-0-column": "item", "change-0-where-0-value": "milk"},
        **{"change-0-edit-0-kind": "scale", "change-0-edit-0-column": "mean", "change-0-edit-0-value": "1.5"},
    }
    return fields | more


def test_a_form_becomes_a_scenario_of_the_command_line(client: Client, folder: Path) -> None:
    """What is saved is found by name and does what the form said."""
    sent = change(name="mild", description="A mild day.", **{"change-0-where-0-value": "milk\r\nbolt\r\n"})
    assert client.post("/edit", **sent).to == "/"
    tables = read(folder / "small", "mild")
    assert tables.changes is not None
    assert set(tables.changes["key"].to_pylist()) >= {"milk/walk/S1/2026-03-02", "bolt/web/north/2026-03-05"}
    findings: list[object] = []
    overlay = read_overlay(folder / "mild.toml", findings)  # type: ignore[arg-type]
    assert overlay is not None
    assert overlay.content.base == "small"
    assert "A mild day." in client.get("/").words


@pytest.mark.parametrize(
    ("more", "place", "said"),
    [
        ({"change-0-where-0-value": "mikl"}, "change-0-where-0", "did you mean milk?"),
        ({"change-0-where-0-column": "itm"}, "change-0-where-0", "rename it to item"),
        ({"change-0-where-0-value": ""}, "change-0-where-0", "give a value"),
        ({"change-0-edit-0-value": "many"}, "change-0-edit-0", "is not a number"),
        ({"change-0-edit-0-value": "-1"}, "change-0-edit-0", "is below 0"),
        ({"change-0-edit-0-column": "item"}, "change-0-edit-0", "part of the key"),
        ({"change-0-edit-0-column": ""}, "change-0-edit-0", "name a column"),
        ({"change-0-table": "forecast"}, "change-0-table", "rename it to forecasts"),
        ({"change-0-edit-0-column": "", "change-0-edit-0-value": ""}, "change-0", "changes nothing"),
        ({"rest": "[set"}, "rest", "write it as TOML"),
        ({"rest": "[set]\nhorizn_days = 2"}, "rest", "horizon_days"),
        ({"rest": "base = '/etc'"}, "rest", "does not belong here"),
        ({"rest": '[[append]]\ntable = "lots"\nrows = [{ lot = "N" }]'}, "rest", "is blank"),
        ({"change-1-table": "", "change-1-where-0-column": "", "change-1-edit-0-kind": "set"}, None, ""),
    ],
)
def test_every_fault_stands_beside_its_field(
    client: Client, more: dict[str, str], place: str | None, said: str
) -> None:
    """The check of the command line says what is wrong; the form comes back as it was sent, the fault under the field."""
    answer = client.post("/edit", **change(**more, action="check"))
    if place is None:
        assert "The scenario is good." in answer.words
        return
    assert answer.status == 400
    found = answer.text.partition(f'id="e-{place}"')[2].partition("</ul>")[0]
    assert said in found, answer.words
    assert 'value="mine"' in answer.text


def test_a_file_is_replaced_only_when_it_was_seen(client: Client, folder: Path) -> None:
    """A name that is taken asks first; what changed since it was asked is asked again."""
    before = (folder / "promo.toml").read_text(encoding="utf-8")
    asked = client.post("/edit", **change(name="promo"))
    assert asked.status == 400
    seen = asked.text.partition('name="seen" value="')[2].partition('"')[0]
    assert seen == digest(folder / "promo.toml")
    (folder / "promo.toml").write_text(before + "# a colleague's\n", encoding="utf-8")
    assert client.post("/edit", **change(name="promo", seen=seen)).status == 400
    assert (folder / "promo.toml").read_text(encoding="utf-8") == before + "# a colleague's\n"
    assert client.post("/edit", **change(name="promo", seen=digest(folder / "promo.toml"))).status == 303
    assert "1.5" in (folder / "promo.toml").read_text(encoding="utf-8")
    assert not list(folder.glob(".*.toml*"))


def test_buttons_reshape_the_form_and_keep_what_was_typed(client: Client) -> None:
    """Another change, another column, remove: nothing typed is lost, nothing is checked or written."""
    more = client.post("/edit", **change(action="add-where-0", **{"change-0-edit-0-value": "half"}))
    assert 'name="change-0-where-1-column"' in more.text
    assert 'value="half"' in more.text
    assert 'name="change-1-table"' in client.post("/edit", **change(action="add-change")).text
    assert 'name="change-0-table"' not in client.post("/edit", **change(action="remove-0")).text
    assert client.post("/edit", **change(action="remove-99")).status == 200


def test_a_disk_that_refuses_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails half-way leaves the old file and no other."""
    target = tmp_path / "a.toml"
    save("one\n", target)
    with pytest.raises(NotSavedError):
        save("two\n", target)

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        save("two\n", target, digest(target))
    assert [path.name for path in tmp_path.iterdir()] == ["a.toml"]
    assert target.read_text(encoding="utf-8") == "one\n"


def test_fields_are_read_as_browsers_send_them() -> None:
    """The first of several values counts, lines end alike, a field may be blank."""
    asked = Asked.of(b"a=1&a=2&b=x%0D%0Ay&c=")
    assert (asked.one("a"), asked.all("a"), asked.one("b"), asked.has("c"), asked.one("d")) == (
        "1",
        ["1", "2"],
        "x\ny",
        True,
        "",
    )
