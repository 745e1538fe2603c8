"""A plan folder as it is handed on: every file open, and as its manifest says."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from allocator.plan.publish import TABLES


class DeliveryError(RuntimeError):
    """A plan that could not be handed on; what was at the other end is as it was."""


@dataclass(frozen=True)
class Parcel:
    """One plan, its files open: a plan published over it later changes nothing here.

    Attributes
    ----------
    folder : Path
    manifest : mapping
    text : str
        The manifest as it is written.
    files : mapping of str to file
        By relative path.
    """

    folder: Path
    manifest: Mapping[str, Any]
    text: str
    files: Mapping[str, BufferedReader]

    @property
    def plan_id(self) -> str:
        """Id of the plan."""
        return str(self.manifest["plan_id"])

    @property
    def scenario(self) -> str:
        """Names of the scenarios it was made under, joined by ``+``."""
        return "+".join(self.manifest.get("scenario", ()))

    @property
    def contents(self) -> str:
        """SHA-256 over all tables: plans of one id that ended by their deadline may differ."""
        named = {name: digest for name, digest in self.manifest["files"].items() if name in _TABLES}
        return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()

    def json(self, name: str) -> Mapping[str, Any]:
        """A JSON document of the plan."""
        found: Mapping[str, Any] = json.loads(self.read(name))
        return found

    def read(self, name: str) -> bytes:
        """A whole file."""
        self.files[name].seek(0)
        return self.files[name].read()


_TABLES = {f"{name}.parquet" for name in TABLES}


@contextlib.contextmanager
def packed(folder: Path) -> Iterator[Parcel]:
    """Open a plan folder and compare every file with its manifest.

    Raises
    ------
    DeliveryError
        When the folder is no plan, or a file is not what the manifest says.
    """
    while True:
        text = _manifest(folder)
        with contextlib.ExitStack() as stack:
            try:
                parcel = _opened(folder, text, stack)
            except (OSError, DeliveryError) as error:
                if _manifest(folder) != text:
                    continue  # a new plan was published meanwhile: take that one
                if isinstance(error, DeliveryError):
                    raise
                raise DeliveryError(f"'{folder}': {error.strerror or error}; run the plan again") from None
            yield parcel
            return


def _manifest(folder: Path) -> str:
    try:
        return (folder / "manifest.json").read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise DeliveryError(
            f"'{folder}' is not a plan folder (no manifest.json); give the -o of a finished run"
        ) from None


def _opened(folder: Path, text: str, stack: contextlib.ExitStack) -> Parcel:
    try:
        manifest = json.loads(text)
        named = dict(manifest["files"])
        manifest["plan_id"], manifest["network"]
    except (ValueError, KeyError, TypeError):
        raise DeliveryError(f"'{folder}': manifest.json is not that of a plan; run the plan again") from None
    missing = sorted((_TABLES | {"certificate.json"}) - named.keys())
    if missing:
        raise DeliveryError(f"'{folder}' has no {missing[0]}: it is of another version; run the plan again")
    files: dict[str, BufferedReader] = {}
    for name, digest in named.items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise DeliveryError(f"'{folder}': manifest.json names {name!r}, which lies outside; run the plan again")
        files[name] = stack.enter_context((folder / name).open("rb"))
        if hashlib.file_digest(files[name], "sha256").hexdigest() != digest:
            raise DeliveryError(f"'{folder}': {name} is not what manifest.json says; run the plan again")
    return Parcel(folder, manifest, text, files)
