"""Tables assembled in codes: words, orders, ledger ids and shares of items give what plain strings would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import allocator
from allocator.network import Network, build_network
from allocator.network.order import order_of, packed
from allocator.network.prices import build_prices
from allocator.plan import moves
from allocator.plan.assemble import Draft, draft_plan
from allocator.plan.tight import Marginals, bids
from allocator.plan.words import Words
from allocator.rules import plan_by_rules
from tests.rules.made_up import random_folder


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """A small network with a bit of everything."""
    folder: Path = random_folder(tmp_path_factory.mktemp("made-up") / "n", 3)
    return build_network(allocator.read(folder))


def drafted(network: Network, marginals: Marginals | None = None) -> Draft:
    """The rules engine's plan."""
    return draft_plan(network, plan_by_rules(network), "plan", build_prices(network), marginals)


def test_words_sort_and_compare_as_strings() -> None:
    """Columns of one set compare with each other; places are those of the sorted words, in one byte."""
    words = Words(["b", "a"], ["c", "a"])
    column = words.of(["c", "a", "b"], np.array([0, 1, 1, 2]))
    assert list(column) == ["c", "a", "a", "b"]
    assert list(pd.Series(column).sort_values()) == ["a", "a", "b", "c"]
    assert list(column == words.only("a", 4)) == [False, True, True, False]
    assert column.codes.dtype == np.int8
    assert len(Words().of([], np.empty(0, dtype=np.int64))) == 0


def test_words_outgrow_small_integers() -> None:
    """Thirty-three thousand words keep their places."""
    codes = [f"{n:05}" for n in range(33_000)]
    assert list(Words(codes).of(codes, np.array([0, 127, 128, 32_768, 32_999]))) == [
        "00000", "00127", "00128", "32768", "32999",
    ]  # fmt: skip


def test_packed_keys_sort_as_their_columns() -> None:
    """One packed key with ties sorts as a stable sort by all columns does, negative values too."""
    rng = np.random.default_rng(1)
    columns = [rng.integers(-5, 5, 2_000).astype(np.int32) for _ in range(4)]
    expected = np.lexsort(tuple(reversed(columns)))
    assert (order_of(packed(*columns[:2]), *columns[2:]) == expected).all()
    assert (order_of(packed(*columns)) == expected).all()
    with pytest.raises(OverflowError, match="fit 63 bits"):
        packed(np.array([0, 2**40]), np.array([0, 2**40]))


def test_ledger_ids_are_hashes_of_the_words(network: Network) -> None:
    """Ids are the two keyed hashes of the move's words as plain strings: what earlier versions wrote, so a replay adds nothing."""
    draft = drafted(network)
    rows = draft.tables["lot_moves"]
    text = pd.DataFrame({name: _plain(rows[name]) for name in rows.columns if name != "quantity"})
    key = "plan".ljust(16, "0")
    halves = [pd.util.hash_pandas_object(text, index=False, hash_key=half) for half in (key, key[::-1])]
    ids = pd.Series([f"{a:016x}{b:016x}" for a, b in zip(*halves, strict=True)])
    assert list(draft.tables["ledger"]["id"]) == sorted(ids)
    mine = draft.tables["ledger"].set_index("id").loc[ids]
    assert (mine["quantity"].to_numpy() == rows["quantity"].to_numpy()).all()
    assert (mine["lot"].astype(str).to_numpy() == rows["lot"].astype(str).to_numpy()).all()


def _plain(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.astype(object)
    return column.astype(str).where(column.notna())


def test_shares_of_items_do_not_change_the_plan(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lots given to a few items at a time are the same lots, in the same order."""
    whole = drafted(network)
    monkeypatch.setattr(moves, "SHARE_ROWS", 5)
    cut = drafted(network)
    assert whole.components == cut.components
    for name, table in whole.tables.items():
        pd.testing.assert_frame_equal(table, cut.tables[name])


def test_tables_are_sorted_by_their_words(network: Network) -> None:
    """Admissions and lot moves stand in the order of their words, whatever the order of the codes inside."""
    tables = drafted(network).tables
    keys = ["item", "site", "channel", "zone", "date", "claim"]
    rows = [tuple(row) for row in tables["admissions"][keys].astype({"date": str}).itertuples(index=False)]
    assert rows == sorted(rows)
    starts = [tuple(row) for row in tables["lot_moves"][["item", "from", "date"]].astype(str).itertuples(index=False)]
    assert starts == sorted(starts)


def test_bids_follow_the_stock_that_serves(network: Network) -> None:
    """An admission's bid is the value of stock of its item at its site on its day, 0 where none has a price."""
    served = plan_by_rules(network).admissions.total()
    _, sites, buckets = network.size
    site = network.claims.arc_site[served.way]
    key = (served.item * sites + site) * buckets + served.bucket
    marginals = Marginals([], key[:1], np.array([2.5]))
    found = drafted(network, marginals).tables["admissions"]
    worth = bids(marginals, network, served)
    assert ((worth == 2.5) == (key == key[0])).all()
    assert set(found["bid_price"]) == {0.0, 2.5}
    priced = found[found["bid_price"] > 0]
    assert set(priced["item"]) == {network.items[served.item[0]]}
    assert set(priced["site"]) == {network.sites.codes[site[0]]}
    assert (bids(Marginals([], key[:0], np.empty(0)), network, served) == 0).all()
