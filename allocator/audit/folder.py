"""Auditing a plan folder: every file as its manifest states it, then every rule."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from allocator.audit.columns import COLUMNS
from allocator.audit.facts import framed
from allocator.audit.registry import AuditReport, Notebook
from allocator.audit.run import audit_into
from allocator.tables import Tables

MANIFEST = "manifest.json"
PLAIN = {"ledger": ("id",)}
"""Columns whose words hardly ever repeat."""
_BLOCK = 1 << 22
TRIES = 5
"""Times a folder is read again because another plan was published over it meanwhile."""


def audit_folder(plan_dir: str | Path) -> AuditReport:
    """Audit a plan folder: files against the manifest, then every rule of docs/semantics.md.

    Parameters
    ----------
    plan_dir : str or Path
        A published plan.

    Returns
    -------
    AuditReport

    Raises
    ------
    FileNotFoundError
        The folder has no manifest.json, so it is not a plan.
    """
    folder = Path(plan_dir)
    if not (folder / MANIFEST).is_file():
        raise FileNotFoundError(
            f"expected a plan folder, found no {MANIFEST} in {folder}; give the folder that `allocator plan -o` wrote"
        )
    for _ in range(TRIES):
        before = (folder / MANIFEST).read_bytes()
        try:
            report = _audit_once(folder)
        except OSError:
            if (folder / MANIFEST).read_bytes() == before:
                raise
            continue
        # a plan published over this one while it was read would be judged as a mixture of both
        if (folder / MANIFEST).read_bytes() == before:
            return report
    raise RuntimeError(f"{folder} was replaced {TRIES} times while it was read; verify it when no run is writing it")


def _audit_once(folder: Path) -> AuditReport:
    book = Notebook()
    check_files(folder, book)
    network = folder / "network"
    there = [table for table in COLUMNS if (folder / f"{table}.parquet").is_file()]
    plan = {table: read_arrow(folder / f"{table}.parquet", PLAIN.get(table, ())) for table in there}
    previous = network / "previous_shipments.parquet"
    certificate = _document(folder / "certificate.json")
    if not certificate:
        book.says("files", "certificate.json", "a certificate", "none")
    return audit_into(
        book, Tables.load(network), plan, certificate, framed(read_arrow(previous)) if previous.is_file() else None
    )


def check_files(folder: Path, book: Notebook) -> None:
    """Check the SHA-256 of every file that the manifest names; names that leave the folder are refused."""
    named = file_hashes(_document(folder / MANIFEST))
    if not named:
        book.says("files", MANIFEST, "the plan's files with their SHA-256", "none")
    root = folder.resolve()
    for name, stated in named.items():
        path = (folder / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            book.says("files", name, "a file of the plan", "none")
            continue
        book.count("files", 1)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest != stated.lower():
            book.says("files", name, f"SHA-256 {stated[:12]}...", f"{digest[:12]}...")


def file_hashes(manifest: dict[str, Any]) -> dict[str, str]:
    """Read name and SHA-256 of every file off a manifest, whether `files` is a mapping or a list of records."""
    files = manifest.get("files", {})
    records = files.items() if isinstance(files, dict) else ((_name(entry), entry) for entry in files)
    found = {}
    for name, entry in records:
        digest = entry.get("sha256", "") if isinstance(entry, dict) else entry
        found[str(name)] = str(digest)
    return found


def _name(entry: Any) -> str:
    return str(entry.get("path", entry.get("name", ""))) if isinstance(entry, dict) else str(entry)


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, dict) else {}


def read_arrow(path: Path, plain: tuple[str, ...] = ()) -> pa.Table:
    """Read a Parquet table, its words coded but for the columns in `plain`, so that millions of rows stay small."""
    schema = pq.read_schema(path)
    words = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    return pq.read_table(path, read_dictionary=[name for name in words if name not in plain])
