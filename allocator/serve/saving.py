"""Scenario files written from the page: only below the folder served, in one step, and never over a file unseen."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path

from allocator.scenario.lookup import FOLDER, SUFFIX
from allocator.serve.holdings import Holdings, NetworkHeld, Served

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,59}")


class NotSavedError(Exception):
    """A file that was not written; says why and how to mend it.

    Attributes
    ----------
    seen : str
        Digest of the file that stands there: sent back, it says that this very content may be replaced. Blank when no
        confirmation helps.
    """

    def __init__(self, why: str, seen: str = "") -> None:
        super().__init__(why)
        self.seen = seen


def place_for(name: str, network: NetworkHeld, served: Served, holdings: Holdings) -> Path:
    """Say where a scenario of a network goes: beside the network's other scenarios.

    Raises
    ------
    NotSavedError
        When the name is no plain name, or another scenario of the network has it.
    """
    if not _NAME.fullmatch(name) or name.lower().endswith(SUFFIX) or name == "network":
        raise NotSavedError("is no name for a file; use up to 60 letters, figures, hyphens, dots and underscores")
    own = network.path / FOLDER
    folder = own if own.is_dir() or network.path == served.root else network.path.parent
    target = folder / f"{name}{SUFFIX}"
    for held in holdings.of_network(network.name):
        if held.title == name and held.path != target:
            raise NotSavedError(f"is taken by {held.name}; give another name")
    return target


def digest(path: Path) -> str:
    """Digest of a file's bytes, blank where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""


def save(text: str, target: Path, replace: str = "") -> None:
    """Write a file in one step.

    Parameters
    ----------
    replace : str
        Digest of the content that may be replaced; blank: only a new file is written.

    Raises
    ------
    NotSavedError
        When a file stands there that is not the one confirmed.
    OSError
        When the disk refuses; what was there stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    name = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        with name.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        there = digest(target)
        if there and there == replace:
            os.replace(name, target)
            return
        try:
            os.link(name, target)  # unlike a rename this never replaces
        except FileExistsError:
            raise NotSavedError(
                f"{target.name} is there already; tick the box to replace it, or give another name", digest(target)
            ) from None
    finally:
        name.unlink(missing_ok=True)
