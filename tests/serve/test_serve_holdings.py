"""What is found under a folder, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.scenario import read
from allocator.serve.holdings import Served
from tests.serve.served import served, write_network

SET = 'base = "small"\n[set]\ncommit_days = 1\n'


def test_networks_and_their_scenarios_are_found(tmp_path: Path) -> None:
    """Scenarios belong to their base, or to the network they lie beside or in; other programs' files, hidden folders and links are left out."""
    network = write_network(tmp_path / "a", plain=SET, baseless=SET.partition("\n")[2], broken="[set\n")
    write_network(tmp_path / ".hidden")
    (network / "scenarios").mkdir()
    (network / "scenarios" / "inside.toml").write_text("[set]\ncommit_days = 1\n", encoding="utf-8")
    (tmp_path / "a" / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    found = Served(tmp_path).look()
    assert list(found.networks) == ["a/small"]
    titles = {one.name: one.network for one in found.scenarios.values()}
    assert titles == dict.fromkeys(
        ("a/plain.toml", "a/baseless.toml", "a/broken.toml", "a/small/scenarios/inside.toml"), "a/small"
    )
    assert "write it as TOML" in found.scenarios["a/broken.toml"].fault
    assert found.plans == {}


def test_what_changes_is_read_again(tmp_path: Path) -> None:
    """A file written anew is seen by the next page, one that is gone is not."""
    write_network(tmp_path, plain=SET)
    folder = Served(tmp_path)
    assert folder.look().scenarios["plain.toml"].overlay.content.description == ""  # type: ignore[union-attr]
    (tmp_path / "plain.toml").write_text(f'description = "other"\n{SET}', encoding="utf-8")
    assert folder.look().scenarios["plain.toml"].overlay.content.description == "other"  # type: ignore[union-attr]
    (tmp_path / "plain.toml").unlink()
    assert folder.look().scenarios == {}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"plan_id": 1}', '{"plan_id": "x"}', "[" * 100_000])
def test_folders_that_are_no_plans_are_left_out(tmp_path: Path, text: str) -> None:
    """A manifest that is empty, damaged or another program's makes no plan, and no page fail."""
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "manifest.json").write_text(text, encoding="utf-8")
    (tmp_path / "odd" / "certificate.json").write_text('{"value": "much"}', encoding="utf-8")
    assert Served(tmp_path).look().plans == {}


def test_a_network_folder_is_served_with_the_scenarios_beside_it(tmp_path: Path) -> None:
    """As `--scenario` finds them; what is saved goes below the folder, under a name that is still free."""
    network = write_network(tmp_path, plain=SET)
    with served(network) as client:
        assert "plain" in client.get("/").words
        fields = {"network": ".", "rest": "[set]\ncommit_days = 1\n", "action": "save"}
        taken = client.post("/edit", name="plain", **fields)
        assert taken.status == 400
        assert "is taken by ../plain.toml" in taken.words
        assert client.post("/edit", name="mine", **fields).status == 303
    assert [path.name for path in tmp_path.glob("*.toml")] == ["plain.toml"]
    assert read(network, "mine").settings.commit_days == 1
    assert read(network / "scenarios" / "mine.toml").scenario == ("mine",)
