"""The compiled rows of every law are the golden ones."""

import pytest

from allocator_models.block import LAWS
from allocator_models.page import shared_laws
from tests.golden.rows import FOLDER, golden

MEND = "run `make golden` and read the diff"


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Rows as the laws are compiled now."""
    return golden()


def test_every_law_has_a_golden() -> None:
    """A law without a golden file fails, and so does a file without a law."""
    wanted = {*LAWS, "cost", "shared_cost", *(f"shared_{name}" for name in shared_laws())}
    assert {path.stem for path in FOLDER.glob("*.txt")} == wanted, MEND


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_rows_are_golden(path: object, texts: dict[str, str]) -> None:
    """The compiled rows of the tiny structure are, to the letter, those that were read and kept."""
    assert texts[path.stem] == path.read_text(encoding="utf-8"), MEND  # type: ignore[attr-defined]


def test_no_golden_is_empty(texts: dict[str, str]) -> None:
    """Every law has a row in the tiny structure, or its golden would guard nothing."""
    assert [name for name, text in texts.items() if not text.strip()] == []
