"""What another tool exported: every table as cells of text, as they stand in its files."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MAX_BYTES = 4 << 30
"""Most bytes of one file, unpacked."""
ENDINGS = (".csv", ".csv.gz", ".json", ".json.gz", ".parquet")


class ExportError(ValueError):
    """An export that can't be read as a whole: what is wrong with it, and how to mend it."""


def plain_name(name: str) -> str:
    """Return a name by its letters and digits alone: ``To_Site_ID``, ``to site id`` and ``ToSiteId`` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


@dataclass
class Sheet:
    """One table of an export.

    Attributes
    ----------
    name : str
        As the export calls it.
    source : str
        File (or files) it was read from.
    frame : pandas.DataFrame
        Cells as text, blank = "", columns by their plain names; row i is row i + 1 of the table.
    titles : dict of str to str
        Plain name of a column -> as the export spells it.
    taken : (rows,) bool
        Rows that went somewhere, or are told in the report.
    used : set of str
        Columns that something was read from.
    """

    name: str
    source: str
    frame: pd.DataFrame
    titles: dict[str, str]
    taken: NDArray[np.bool_] = field(init=False)
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.taken = np.zeros(len(self.frame), bool)


def read_export(folder: Path, blank: frozenset[str]) -> dict[str, Sheet]:
    """Read every table of an export.

    Parameters
    ----------
    folder : Path
        Folder with a file for each table (``.csv``, ``.csv.gz``, ``.parquet``) or Django fixtures (``.json``, ``.json.gz``); or one such file.
    blank : set of str
        Words that stand for a blank cell.

    Returns
    -------
    dict of str to Sheet
        By the plain name of the table.

    Raises
    ------
    ExportError
        When the folder isn't there, holds no table, or a file of it can't be read.
    """
    if not folder.exists():
        raise ExportError(f"there is no folder '{folder}'; give the folder that holds the export")
    files = sorted(folder.iterdir()) if folder.is_dir() else [folder]
    parts: dict[str, list[tuple[str, str, pd.DataFrame]]] = {}
    for path in files:
        if not path.name.lower().endswith(ENDINGS) or not path.is_file():
            continue
        try:
            for name, frame in _tables(path):
                parts.setdefault(plain_name(name), []).append((name, path.name, frame))
        except (OSError, EOFError, ValueError, RecursionError, csv.Error) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise ExportError(f"'{path.name}' can't be read ({first[:200]}); export it again") from None
    if not parts:
        raise ExportError(f"'{folder}' holds no table; give the folder with the export's files ({', '.join(ENDINGS)})")
    return {key: _sheet(found, blank) for key, found in parts.items()}


def add_ends(sheets: dict[str, Sheet], table: str, column: str, ends: str, last: str) -> None:
    """Give each period of a table its end: the start of the next, and `last` for the last one."""
    sheet = sheets.get(plain_name(table))
    if sheet is None or plain_name(column) not in sheet.frame.columns:
        return
    starts = sorted(set(sheet.frame[plain_name(column)]) - {""})
    follows = dict(zip(starts, [*starts[1:], last], strict=True))
    sheet.frame[plain_name(ends)] = sheet.frame[plain_name(column)].map(follows).fillna("")
    sheet.used.add(plain_name(ends))


def _sheet(parts: list[tuple[str, str, pd.DataFrame]], blank: frozenset[str]) -> Sheet:
    titles: dict[str, str] = {}
    for _, _, part in parts:
        for title in part.columns:
            titles.setdefault(plain_name(str(title)), str(title))
    frames = [part.rename(columns=lambda title: plain_name(str(title))) for _, _, part in parts]
    frames = [frame.loc[:, ~frame.columns.duplicated()] for frame in frames]
    whole = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0].reset_index(drop=True)
    whole = whole.astype(object).where(whole.notna(), "").astype(str)
    for column in whole.columns:
        text = whole[column].str.strip()
        whole[column] = text.mask(text.isin(blank), "")
    return Sheet(parts[0][0], ", ".join(dict.fromkeys(file for _, file, _ in parts)), whole, titles)


def _tables(path: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    low = path.name.lower()
    if low.endswith(".parquet"):
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            if sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups)) > MAX_BYTES:
                raise ValueError("is too large")
            frame = file.read().to_pandas(date_as_object=True)
        yield path.name.split(".")[0], frame.apply(lambda column: column.map(_text)) if len(frame) else frame
        return
    text = _unpacked(path)
    if low.endswith((".json", ".json.gz")):
        yield from _fixture(text)
        return
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, na_filter=False, sep=delimiter)
    yield path.name.split(".")[0], frame


def _unpacked(path: Path) -> str:
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"unpacks to more than {MAX_BYTES >> 30} GB")
    return data.decode("utf-8-sig")


def _fixture(text: str) -> Iterable[tuple[str, pd.DataFrame]]:
    """Rows of a Django fixture by model; a primary key counts as the column ``pk``."""
    rows = json.loads(text)
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("model"), str) for row in rows
    ):
        raise ValueError("is not a Django fixture: a list of rows with model and fields")
    tables: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        fields = row.get("fields") or {}
        cells = {str(name): _text(value) for name, value in fields.items()}
        if "pk" in row:
            cells.setdefault("pk", _text(row["pk"]))
        tables.setdefault(row["model"].rpartition(".")[2], []).append(cells)
    return [(name, pd.DataFrame(cells, dtype=str).fillna("")) for name, cells in tables.items()]


def _text(value: Any) -> str:
    """A cell as text; what is not there is blank."""
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return str(value)
