"""A table whose cells are converted but not yet checked, row numbers still at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from allocator.tables.columns import Column, TableSpec
from allocator.tables.convert import Converted, Unfit, coded, convert, rendered, shortened
from allocator.tables.findings import Fault, Faults, Rows, Texts
from allocator.tables.keys import Keys, indices, joined
from allocator.tables.sources import Raw

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Draft:
    """One table in canonical columns.

    Attributes
    ----------
    spec : TableSpec
        Its declaration.
    columns : dict of str to pyarrow.Array
        Every column of the declaration; words as dictionary arrays with sorted words.
    rows : (N,) int
        Each row's number in its source.
    source : str
        The file's name, or the table's.
    """

    spec: TableSpec
    columns: dict[str, pa.Array]
    rows: Rows
    source: str

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> pa.Array:
        return self.columns[name]

    def pick(self, names: Sequence[str]) -> list[pa.Array]:
        """Return some columns."""
        return [self.columns[name] for name in names]

    def figures(self, name: str) -> NDArray[np.float64]:
        """Return a column of figures or days as floats, NaN where empty."""
        column = self.columns[name]
        if pa.types.is_date32(column.type):
            column = column.cast(pa.int32())
        figures: NDArray[np.float64] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return figures

    def filled(self, name: str) -> Mask:
        """Return where a column holds something."""
        filled: Mask = self.columns[name].is_valid().to_numpy(zero_copy_only=False)
        return filled

    def index(self, name: str) -> Keys:
        """Return the index of each row's word in the column's dictionary, -1 where empty."""
        return indices(self.columns[name])

    def equals(self, name: str, word: str) -> Mask:
        """Return where a column of words holds `word`."""
        column = self.columns[name]
        same = pc.equal(column.dictionary, word).to_numpy(zero_copy_only=False)
        found: Mask = np.append(same, False)[indices(column)].astype(bool)
        return found

    def words(self, name: str) -> pa.Array:
        """Return the distinct words of a column, sorted."""
        return self.columns[name].dictionary

    def take(self, at: Rows) -> Draft:
        """Return some rows."""
        where = pa.array(at)
        columns = {name: taken(column, where) for name, column in self.columns.items()}
        return Draft(self.spec, columns, self.rows[at], self.source)

    def report(
        self,
        faults: Faults,
        column: str | None,
        mask: Mask,
        rule: str | Texts,
        mend: str | Texts,
        values: Texts | None = None,
    ) -> None:
        """Report the rows under `mask`; texts may depend on the row, given as functions of positions."""
        at = np.flatnonzero(mask)
        if not len(at):
            return
        if values is None and column is not None:
            cells = self.columns[column]
            values = lambda at: rendered(cells.take(pa.array(at)))  # noqa: E731
        faults.batches.append(Fault(self.spec.name, self.source, column, at, self.rows[at], values, rule, mend))


def taken(column: pa.Array, where: pa.Array) -> pa.Array:
    """Return some rows of a column, its dictionary cut to the words still used."""
    column = column.take(where)
    return coded(column.dictionary, indices(column)) if pa.types.is_dictionary(column.type) else column


def in_order(draft: Draft) -> Draft:
    """Return a draft sorted by its key; rows without a whole key come first."""
    keys = joined(draft.pick(draft.spec.keys))
    if bool(np.all(keys[1:] > keys[:-1])):
        return draft
    order = np.argsort(keys, kind="stable")
    where = pa.array(order)
    columns = {
        name: column if column.null_count == len(column) else column.take(where)
        for name, column in draft.columns.items()
    }
    return Draft(draft.spec, columns, draft.rows[order], draft.source)


def empty(spec: TableSpec) -> Draft:
    """Return a draft without rows."""
    blanks: dict[pa.DataType, pa.Array] = {}
    columns = {column.name: _absent(column, 0, blanks) for column in spec.columns}
    return Draft(spec, columns, np.empty(0, np.int64), spec.name)


def make_draft(raw: Raw, spec: TableSpec, faults: Faults) -> Draft:
    """Convert every column, report bad and blank cells, and fill the defaults."""
    draft = Draft(spec, {}, raw.rows, raw.source)
    blanks: dict[pa.DataType, pa.Array] = {}
    for column in spec.columns:
        found = _converted(draft, column, raw.cells, faults)
        draft.columns[column.name] = _absent(column, raw.cells.num_rows, blanks) if found is None else found
    return draft


def _converted(draft: Draft, column: Column, table: pa.Table, faults: Faults) -> pa.Array | None:
    if column.name not in table.column_names:
        return None
    cells = table.column(column.name)
    try:
        found = convert(cells, column)
    except (Unfit, pa.ArrowException) as error:
        mend = f"give {column.about} as {'days' if column.kind == 'date' else column.kind + ' values'}"
        faults.file(draft.spec.name, draft.source, str(error).splitlines()[0], mend, column.name)
        return None
    _report_cells(draft, column, cells, found, faults)
    return _filled(found, column)


def _report_cells(draft: Draft, column: Column, cells: pa.ChunkedArray, found: Converted, faults: Faults) -> None:
    def as_read(at: Rows) -> list[str | None]:
        return rendered(shortened(cells.take(pa.array(at))))

    for mask, rule, mend in found.faults:
        draft.report(faults, column.name, mask, rule, mend, as_read)
    if column.required and found.values.null_count:
        blank = found.values.is_null().to_numpy(zero_copy_only=False) & ~found.bad
        draft.report(faults, column.name, blank, "is blank", f"give {column.about}", lambda at: [None] * len(at))


def _filled(found: Converted, column: Column) -> pa.Array:
    if column.default is None or not found.values.null_count:
        return found.values
    if not column.coded:
        return found.values.fill_null(column.default)
    words, index = found.values.dictionary, indices(found.values)
    words = pa.concat_arrays([words, pa.array([column.default], pa.string())])
    return coded(words, np.where(index < 0, len(words) - 1, index))


def _absent(column: Column, count: int, blanks: dict[pa.DataType, pa.Array]) -> pa.Array:
    """Return a column the source does not have: its default, else nulls, which columns of one type share."""
    if column.default is None:
        kind = pa.dictionary(pa.int32(), pa.string()) if column.coded else column.arrow
        return blanks.setdefault(kind, pa.nulls(count, kind))
    if not column.coded:
        return pa.repeat(pa.scalar(column.default, column.arrow), count)
    words = pa.array([column.default] if count else [], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), words)
