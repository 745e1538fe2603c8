"""A finished plan, in memory or read back from its folder."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from allocator.plan.publish import TABLES, digests, held, publish, staging, write_json, write_table
from allocator.stores.address import is_store

if TYPE_CHECKING:
    from allocator.audit import AuditReport
    from allocator.delivery import Delivered
    from allocator.explain import Explanation
    from allocator.tables import Tables

CHANGES = "changes.parquet"
"""What the scenarios touched, in a plan made under any."""


class Published(Mapping[str, pd.DataFrame]):
    """The tables of a plan folder, each read when it is first asked for.

    The files stay open: a plan published over this one later changes nothing here.

    Parameters
    ----------
    folder : Path
    """

    PLAIN = frozenset({"id"})
    """Columns whose words hardly ever repeat."""

    def __init__(self, folder: Path) -> None:
        self._files = {name: pa.OSFile(str(folder / f"{name}.parquet")) for name in TABLES}
        self._frames: dict[str, pd.DataFrame] = {}
        for file in self._files.values():
            pq.read_metadata(file)  # a file that is no table is told now

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._frames:
            self._frames[name] = _framed(pq.ParquetFile(self._files[name]).read())
        return self._frames[name]

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def coded(self) -> dict[str, pa.Table]:
        """Give all tables with their words coded, which takes a fraction of the memory of frames."""
        tables = {}
        for name, file in self._files.items():
            schema = pq.ParquetFile(file).schema_arrow
            words = [field.name for field in schema if pa.types.is_string(field.type) and field.name not in self.PLAIN]
            tables[name] = pq.ParquetFile(file, read_dictionary=words).read()
        return tables


@dataclass(frozen=True)
class Plan:
    """A plan: its tables, certificate and manifest.

    Attributes
    ----------
    network : Tables
        The resolved input.
    tables : mapping of str to DataFrame
        The tables of DESIGN section 3; each is an attribute too (``plan.shipments``).
    certificate, manifest : mapping
    previous : DataFrame or None
        Shipments of the previous plan it was compared with.
    audit : AuditReport or None
        What the audit found; None for a plan read from its folder (see :meth:`verify`).
    baseline : DataFrame or None
        KPIs of the rules engine's plan.
    """

    network: Tables
    tables: Mapping[str, pd.DataFrame]
    certificate: Mapping[str, Any]
    manifest: Mapping[str, Any]
    previous: pd.DataFrame | None = None
    audit: AuditReport | None = field(default=None, repr=False)
    baseline: pd.DataFrame | None = field(default=None, repr=False)

    def __getattr__(self, name: str) -> pd.DataFrame:
        tables = self.__dict__.get("tables", {})
        if name in tables:
            frame: pd.DataFrame = tables[name]
            return frame
        raise AttributeError(f"a plan has no table or attribute '{name}'; tables: {', '.join(TABLES)}")

    @property
    def exit_code(self) -> int:
        """0 a plan within the asked gap, 3 the gap was not reached (or the solver failed), 130 interrupted, 1 the audit found a broken rule."""
        if self.audit is not None and not self.audit.ok:
            return 1
        if self.certificate["status"] == "interrupted":
            return 130
        return 3 if self.certificate["status"] in ("deadline", "open", "degraded") else 0

    def verify(self) -> AuditReport:
        """Audit the plan from its tables alone."""
        from allocator.audit import audit

        tables = self.tables.coded() if isinstance(self.tables, Published) else self.tables
        return audit(self.network, tables, self.certificate, self.previous)

    def explain(
        self, item: str, site: str, instead: float | None = None, *, origin: str | None = None, date: str | None = None
    ) -> Explanation:
        """Why this site got this much of this item, and what another quantity would cost.

        Parameters
        ----------
        item, site : str
        instead : float, optional
            Another quantity to bring to the site in the horizon: the item is planned again with it, all other items as planned. [units]
        origin, date : str, optional
            Narrow ``instead`` to arrivals from this site, or sent on this ISO day.

        Raises
        ------
        ValueError
            When the item or the site is unknown, or ``instead`` asks for what no lane can bring.
        """
        from allocator.explain import explain

        asked = {"instead": instead, "origin": origin, "date": date, "previous": self.previous}
        return explain(self.network, self.tables, self.certificate, item, site, **asked)  # type: ignore[arg-type]

    def report(self, answers: Sequence[Explanation] = ()) -> str:
        """The report as one HTML page.

        Parameters
        ----------
        answers : sequence of Explanation, optional
            What :meth:`explain` gave, with another quantity asked: shown first in the closer look.
        """
        from allocator.explain import explain_many
        from allocator.report import render

        def explain(plan: Mapping[str, pd.DataFrame], pairs: Sequence[tuple[str, str]]) -> list[Explanation]:
            return explain_many(self.network, plan, self.certificate, pairs)

        return render(
            self.network,
            self.tables,
            self.certificate,
            self.tables["kpis"],
            self.manifest,
            self.baseline,
            explain=explain,
            answers=answers,
        )

    def plot(self, kind: str = "value", axes: Any = None) -> Any:
        """Draw ``value``, ``stock``, ``service`` or ``capacity`` with matplotlib (extra ``[plot]``); gives the figure.

        Raises
        ------
        ValueError, ImportError
            For another kind; when matplotlib is not installed.
        """
        from allocator.notebook import plot

        return plot(self, kind, axes)

    def to_excel(self, path: str | Path) -> Path:
        """Write a workbook with one sheet a table (extra ``[excel]``).

        Raises
        ------
        ValueError, ImportError
            When the name does not end in .xlsx; when XlsxWriter is not installed.
        """
        from allocator.notebook import write_workbook

        return write_workbook(self, path)

    def _repr_html_(self) -> str:
        from allocator.notebook import plan_card

        return plan_card(self)

    def write(self, path: str | Path) -> str | Path:
        """Publish the plan folder atomically.

        Parameters
        ----------
        path : str or Path
            A folder; or the address of one in an object store (``s3://bucket/folder``), see :func:`allocator.delivery.deliver`.

        Raises
        ------
        OutputHeldError
            When another run holds the folder.
        NotAPlanError
            When the path holds something else than a plan.
        OSError
            When the disk refuses; what was there stays.
        """
        if isinstance(path, str) and is_store(path):
            return self.to_database(path).shown
        target = Path(path)
        with held(target):
            return self.publish(target)

    def to_database(self, url: str) -> Delivered:
        """Write the plan to a database, whole or not at all; the same plan again adds nothing (docs/sources.md).

        Parameters
        ----------
        url : str
            ``sqlite:///FILE``, ``postgresql://host/database``, or ``env:NAME``: the address in that environment variable.

        Raises
        ------
        AddressError, DeliveryError
            When the address is wrong; when the database refuses or stops answering, and is then as it was.
        """
        from allocator.delivery import deliver

        with tempfile.TemporaryDirectory(prefix="allocator-plan-") as folder:
            return deliver(self.publish(Path(folder) / "plan"), url)

    def publish(self, target: Path) -> Path:
        """Publish into a folder this process already holds (see :func:`allocator.plan.publish.held`)."""
        began = time.monotonic()
        with staging(target) as folder:
            (folder / "network").mkdir()
            self.network.write(folder / "network")
            if self.previous is not None:
                write_table(self.previous, folder / "network" / "previous_shipments.parquet")
            for name in TABLES:
                write_table(self.tables[name], folder / f"{name}.parquet")
            quarantined = self.network.quarantined
            if len(quarantined):
                write_table(quarantined.astype(str), folder / "quarantined.parquet")
            if self.network.changes is not None:
                pq.write_table(self.network.changes, folder / CHANGES, compression="zstd", write_page_checksum=True)
            write_json(self.certificate, folder / "certificate.json")
            drawing = time.monotonic()
            (folder / "report.html").write_text(self.report(), encoding="utf-8")
            drawn = time.monotonic()
            files = digests(folder)
            spent = {"report": drawn - drawing, "write": time.monotonic() - began - (drawn - drawing)}
            timings = dict(self.manifest.get("timings", {})) | {name: round(s, 4) for name, s in spent.items()}
            publish(folder, target, dict(self.manifest) | {"timings": timings, "files": files})
        return target


def read_plan(path: str | Path) -> Plan:
    """Read a plan folder back; its tables are read when they are first asked for.

    Raises
    ------
    FileNotFoundError
        When the folder has no ``manifest.json``: it is not a plan.
    """
    folder = Path(path)
    while True:
        manifest = _manifest(folder)
        try:
            plan = _read(folder, manifest)
        except OSError:
            if _manifest(folder) == manifest:
                raise
        else:
            if _manifest(folder) == manifest:
                return plan
        # a new plan was published while we read: read that one, never a mixture


def _manifest(folder: Path) -> str:
    try:
        return (folder / "manifest.json").read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(
            f"'{folder}' is not a plan folder (no manifest.json); give the -o of a finished run"
        ) from None


def _read(folder: Path, manifest: str) -> Plan:
    previous = folder / "network" / "previous_shipments.parquet"
    return Plan(
        network=_network(folder, json.loads(manifest)),
        tables=Published(folder),
        certificate=json.loads((folder / "certificate.json").read_text(encoding="utf-8")),
        manifest=json.loads(manifest),
        previous=_framed(pq.read_table(previous)) if previous.is_file() else None,
    )


def _network(folder: Path, manifest: Mapping[str, Any]) -> Tables:
    from allocator.tables import Tables

    tables = Tables.load(folder / "network")
    if CHANGES not in manifest.get("files", {}):
        return tables
    return tables.under(tuple(manifest.get("scenario", ())), pq.read_table(folder / CHANGES))


def _framed(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    for name in frame.columns:
        if name == "date" or name.endswith("_date"):
            frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return frame
