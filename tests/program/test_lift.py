"""Repeating a two-class template gives what compiling gives."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allocator.network import build_network
from allocator.program.cache import FOLDER
from allocator.program.lift import compile_blocks
from allocator.program.structure import build_structure
from allocator.program.template import compile_block
from allocator.tables import read_tables
from allocator_models.block import LAWS, Law
from allocator_models.laws import stock
from tests.program.networks import CASES, write_case


@pytest.mark.parametrize("case", CASES)
def test_repeated_template_is_the_compiled_template(case: str, tmp_path: Path) -> None:
    """For any number of classes the repeated template equals the compiled one, entry by entry and in the same order."""
    structure_of = partial(build_structure, build_network(read_tables(write_case(case, tmp_path))))
    for count, lifted in compile_blocks(structure_of, (1, 2, 3, 5)):
        compiled = compile_block(structure_of(count))
        for name in ("variable", "position", "law", "place", "sense", "indptr", "indices"):
            assert np.array_equal(getattr(lifted, name), getattr(compiled, name)), name
        assert (lifted.symbol_offsets, lifted.symbols) == (compiled.symbol_offsets, compiled.symbols)
        for name in ("coefficients", "rhs", "cost"):
            one, two = getattr(lifted, name), getattr(compiled, name)
            assert np.array_equal(one.constant, two.constant), name
            assert np.array_equal(one.symbolic.toarray(), two.symbolic.toarray()), name


def test_a_law_that_treats_classes_unalike_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A law that speaks of the first class only can't be repeated, and says so."""

    def first_class_only(m: Any, s: Any, t: Any) -> Any:
        return m.stock[s, 0, t] + m.below_min[s, t] >= m.min_stock[s]

    law = LAWS["presentation"]
    assert law.function is stock.presentation
    monkeypatch.setenv(FOLDER, "")
    monkeypatch.setitem(LAWS, "presentation", Law(first_class_only, law.indices))
    structure_of = partial(build_structure, build_network(read_tables(write_case("policies", tmp_path))))
    with pytest.raises(ArithmeticError, match="treats expiry classes unalike"):
        list(compile_blocks(structure_of, (3,)))
