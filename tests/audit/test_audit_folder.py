"""Auditing a plan folder: its files against the manifest, then its rules."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from audit_sample import TOML, sample_certificate, sample_plan, sample_previous, sample_tables

from allocator.audit import AuditReport, audit_folder


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a table with its dates as date32, as a plan holds them."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    for place, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.date32()))
    pq.write_table(table, path)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """Publish the good plan in a folder."""
    (tmp_path / "input").mkdir()
    folder = tmp_path / "plan"
    sample_tables(tmp_path / "input", toml=TOML.replace("change_cost = 0.01", "")).write(folder / "network")
    for name, frame in sample_plan(change=0.0).items():
        write(frame, folder / f"{name}.parquet")
    (folder / "certificate.json").write_text(json.dumps(sample_certificate(change=0.0)))
    manifest(folder)
    return folder


def manifest(folder: Path, **changed: Any) -> None:
    """Write manifest.json with the hashes of the files as they stand."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json"]
    hashes = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    (folder / "manifest.json").write_text(json.dumps({"files": {**hashes, **changed}}))


def lines(report: AuditReport) -> list[str]:
    """Write findings as lines."""
    return [str(finding) for finding in report.findings]


def test_good_folder_is_clean(plan: Path) -> None:
    """A published plan audits clean, and every one of its files was checked."""
    report = audit_folder(plan)
    assert lines(report) == []
    assert report.checked["files"] == len(list(plan.rglob("*.*"))) - 1


def test_previous_shipments_lie_in_the_network_folder(plan: Path, tmp_path: Path) -> None:
    """The cost of change is recomputed from the previous plan's shipments that the folder keeps."""
    (tmp_path / "again").mkdir()
    sample_tables(tmp_path / "again").write(plan / "network")
    write(sample_previous(), plan / "network" / "previous_shipments.parquet")
    (plan / "certificate.json").write_text(json.dumps(sample_certificate()))
    write(sample_plan()["kpis"], plan / "kpis.parquet")
    manifest(plan)
    report = audit_folder(plan)
    assert lines(report) == []
    assert report.objective["change"] == pytest.approx(0.2525)


def test_changed_file_is_found(plan: Path) -> None:
    """A file that differs from its hash is named."""
    write(sample_plan()["reserves"].head(1), plan / "reserves.parquet")
    assert [line for line in lines(audit_folder(plan)) if line.startswith("files: reserves.parquet")]


@pytest.mark.parametrize("name", ["gone.parquet", "../input/network.toml"])
def test_file_that_is_not_of_the_plan_is_found(plan: Path, name: str) -> None:
    """A file that is missing, or lies outside the folder, is named and not read."""
    manifest(plan, **{name: "0" * 64})
    assert [line for line in lines(audit_folder(plan)) if line.startswith(f"files: {name}")]


def test_manifest_without_files_is_found(plan: Path) -> None:
    """A manifest that names no file is itself a finding."""
    (plan / "manifest.json").write_text("{}")
    assert set(audit_folder(plan).broken) == {"files"}


def test_missing_certificate_is_found(plan: Path) -> None:
    """A plan without certificate is not a clean plan."""
    (plan / "certificate.json").unlink()
    manifest(plan)
    assert "files" in audit_folder(plan).broken


def test_missing_table_is_found(plan: Path) -> None:
    """A plan without one of its tables is reported, not guessed at."""
    (plan / "unmet.parquet").unlink()
    manifest(plan)
    report = audit_folder(plan)
    assert set(report.broken) == {"columns"}
    assert report.objective == {}


def test_folder_without_manifest_is_no_plan(tmp_path: Path) -> None:
    """A folder without manifest.json is refused in one line."""
    with pytest.raises(FileNotFoundError, match=r"manifest\.json"):
        audit_folder(tmp_path)
