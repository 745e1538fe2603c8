"""A small, whole network with scenario files beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.program.networks import BASE

Write = Callable[..., Path]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """The network folder; scenarios go beside it."""
    folder = tmp_path / "small"
    folder.mkdir()
    for name, text in BASE.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def write(network: Path) -> Write:
    """Write a scenario file beside the network, `base` stated unless the text does."""

    def make(name: str, text: str) -> Path:
        path = network.parent / f"{name}.toml"
        path.write_text(text if "base" in text else f'base = "small"\n{text}', encoding="utf-8")
        return path

    return make
