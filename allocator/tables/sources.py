"""Files as they are: what lies in a network folder, and each table's cells before any are understood."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from allocator.memory import available, told
from allocator.tables.columns import TableSpec
from allocator.tables.convert import is_text
from allocator.tables.findings import Fault, Faults, Rows, nearest
from allocator.tables.schema import SCHEMA

MAX_ROWS = 200_000_000
MAX_CELLS = 2_000_000_000
MAX_BYTES = 16 << 30
_BLOCK = 16 << 20
UNPACKED = 3
"""Memory that reading a CSV file takes, in times of its size: its text, its cells, and what they become."""


@dataclass(frozen=True)
class Raw:
    """One table as read: its cells, the name to call it by, and each row's number as a person counts."""

    cells: pa.Table
    source: str
    rows: Rows
    note: str | None = None


def find_tables(folder: Path, faults: Faults, ignore: frozenset[str] = frozenset()) -> dict[str, Path]:
    """Return the file of each table in a network folder, reporting strays, doubles and absent ones."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        name, suffix = path.stem, path.suffix.lower()
        if suffix not in (".csv", ".parquet") or path.name in ignore:
            continue
        if name not in SCHEMA or path.suffix != suffix:
            like = nearest(name, SCHEMA)
            mend = f"rename it to {like}{suffix}" if like else f"take it away; the tables are {', '.join(SCHEMA)}"
            faults.file(name, path.name, "is not a table of a network", mend)
        elif not path.is_file():
            faults.file(name, path.name, "is not a file", f"give {name} as a regular file")
        elif name in found:
            faults.file(name, name, f"is given twice, as {found[name].name} and {path.name}", "keep one of them")
        else:
            found[name] = path
    for name, spec in SCHEMA.items():
        if name not in found and not spec.optional:
            faults.file(name, name, "is missing", f"add {name}.csv or {name}.parquet with {', '.join(required(spec))}")
    return found


def required(spec: TableSpec) -> list[str]:
    """Names of the columns a table must have."""
    return [column.name for column in spec.columns if column.required]


def read_raw(path: Path, spec: TableSpec, faults: Faults) -> Raw | None:
    """Read one table's cells; None if the file as a whole is no good, which is then reported."""
    try:
        return _read_parquet(path, spec, faults) if path.suffix == ".parquet" else _read_csv(path, spec, faults)
    except OSError as error:
        faults.file(spec.name, path.name, f"can't be read ({_first_line(error)})", "check the file and write it again")
    except (pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        faults.file(spec.name, path.name, f"can't be read ({_first_line(error)})", "write the file again")
    return None


def check_columns(names: list[str], spec: TableSpec, source: str, faults: Faults) -> None:
    """Report unknown, repeated and missing columns."""
    if len(names) > 2 * len(spec.names):
        mend = f"keep those of {spec.name}: {', '.join(spec.names)}"
        faults.file(spec.name, source, f"has {len(names):,} columns, {spec.name} has {len(spec.names)}", mend)
        return
    missing = [name for name in required(spec) if name not in names]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            faults.file(spec.name, source, f"has column {name} {names.count(name)} times", "keep one of them")
        if name not in spec.names:
            absent = [known for known in spec.names if known not in names]
            if spec.open:
                absent = [known for known in absent if _letters(known) == _letters(name)]
                if not absent:
                    continue
            like = absent[0] if spec.open else nearest(name, absent)
            mend = f"rename it to {like}" if like else f"drop it; the columns are {', '.join(spec.names)}"
            faults.file(spec.name, source, f"has the unknown column {name!r}", mend)
    for name in missing:
        faults.file(spec.name, source, f"has no column {name}", f"add it: {spec.column(name).about}")


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def _read_parquet(path: Path, spec: TableSpec, faults: Faults) -> Raw | None:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        meta, schema = file.metadata, file.schema_arrow
    width = max(1, len(schema.names))
    size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
    if meta.num_rows > MAX_ROWS or meta.num_rows * width > MAX_CELLS or size > MAX_BYTES:
        rule = f"would unpack to {meta.num_rows:,} rows of {width} columns"
        faults.file(spec.name, path.name, rule, f"keep it to {MAX_ROWS:,} rows and {MAX_CELLS:,} cells")
        return None
    room = available()
    if room is not None and size > room:
        rule = f"would unpack to {told(size)}, {told(room)} of memory are free"
        faults.file(spec.name, path.name, rule, "keep it smaller, or give the run more memory")
        return None
    before = faults.total
    check_columns(list(schema.names), spec, path.name, faults)
    if faults.total > before:
        return None
    # Words stay in dictionaries, so a small file of few long words can't grow in memory.
    words = [name for name in schema.names if is_text(schema.field(name).type)]
    with pq.ParquetFile(path, page_checksum_verification=True, read_dictionary=words) as file:
        cells = file.read()
    return Raw(cells, path.name, np.arange(1, cells.num_rows + 1))


def _read_csv(path: Path, spec: TableSpec, faults: Faults) -> Raw | None:
    if path.stat().st_size > MAX_BYTES:
        faults.file(spec.name, path.name, "is too large for a CSV file", "give the table as Parquet")
        return None
    room, size = available(), UNPACKED * path.stat().st_size
    if room is not None and size > room:
        rule = f"would take {told(size)} to read, {told(room)} of memory are free"
        faults.file(spec.name, path.name, rule, "give the table as Parquet, or give the run more memory")
        return None
    data = path.read_bytes()
    names = _header(data, spec, path.name, faults)
    if names is None:
        return None
    if data.count(b'"') % 2:
        faults.file(
            spec.name, path.name, "has a quote that is never closed", "close it, or double a quote inside a value"
        )
        return None
    if b"\n" not in data:
        cells = pa.table({name: pa.array([], pa.string()) for name in names})
        return Raw(cells, path.name, np.empty(0, np.int64))
    ragged: list[pacsv.InvalidRow] = []
    cells = _parse(data, names, ragged, threads=True)
    numbers = np.arange(2, 2 + cells.num_rows + len(ragged))
    plain = b'"' not in data and re.search(rb"\n\r?\n", data) is None
    if not plain:
        faults.recount[spec.name] = lambda: _line_numbers(data)
    if ragged:
        numbers = _drop_ragged(data, names, numbers, spec, path.name, faults)
    note = None if data.endswith(b"\n") else f"{path.name} has no line end after its last row; it may be cut short"
    return Raw(cells, path.name, numbers, note)


def _header(data: bytes, spec: TableSpec, source: str, faults: Faults) -> list[str] | None:
    before = faults.total
    try:
        data.decode("utf-8") if len(data) < _BLOCK else None
        line = data.split(b"\n", 1)[0].decode("utf-8-sig")
        if "\r" in line.rstrip("\r"):
            faults.file(spec.name, source, "ends its lines with CR alone", "save it with LF or CRLF")
            return None
    except UnicodeDecodeError as error:
        where = data.count(b"\n", 0, error.start) + 1
        faults.file(spec.name, source, f"is not UTF-8 (line {where})", "save it as UTF-8")
        return None
    names = [name.strip() for name in next(csv.reader([line.rstrip("\r")]), [])]
    if not any(names):
        faults.file(spec.name, source, "has no column names in its first line", f"start it with {','.join(spec.names)}")
        return None
    if len(names) == 1 and len(spec.names) > 1 and re.search(r"[;\t|]", names[0]):
        faults.file(spec.name, source, "is not separated by commas", "save it with commas and decimal points")
        return None
    check_columns(names, spec, source, faults)
    return names if faults.total == before else None


def _parse(data: bytes, names: list[str], ragged: list[pacsv.InvalidRow], *, threads: bool) -> pa.Table:
    def skip(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    word = pa.dictionary(pa.int32(), pa.string())
    try:
        return pacsv.read_csv(
            pa.BufferReader(data),
            read_options=pacsv.ReadOptions(column_names=names, skip_rows=1, block_size=_BLOCK, use_threads=threads),
            parse_options=pacsv.ParseOptions(newlines_in_values=b'"' in data, invalid_row_handler=skip),
            convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(names, word), strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            data.decode("utf-8")  # raises with the place
        raise


def _drop_ragged(data: bytes, names: list[str], numbers: Rows, spec: TableSpec, source: str, faults: Faults) -> Rows:
    """Report rows with too few or too many cells, and return the numbers of the others."""
    ragged: list[pacsv.InvalidRow] = []
    _parse(data, names, ragged, threads=False)  # only the single-threaded parser knows row numbers
    rows = np.array([row.number for row in ragged], np.int64)
    at = -1 - np.arange(len(ragged))  # below 0: no position among the rows that are kept

    def texts(at: Rows) -> list[str]:
        return [ragged[-1 - i].text for i in at]

    def rules(at: Rows) -> list[str]:
        return [f"has {ragged[-1 - i].actual_columns} cells instead of {len(names)}" for i in at]

    fault = Fault(spec.name, source, None, at, rows, texts, rules, "give one cell for each column")
    faults.batches.append(fault)
    return np.setdiff1d(numbers, rows)


def _line_numbers(data: bytes) -> Rows | None:
    """Return the line on which each data row starts, where blank lines or quoted line ends shift them."""
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    lines, start = [], 1
    try:
        for row in reader:
            if row:
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error:  # a cell too long for this reader: rows are then told as counted
        return None
    return np.array(lines[1:], np.int64)
