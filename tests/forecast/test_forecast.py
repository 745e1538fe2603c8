"""Forecasts from history: classes, spread, no look ahead, the network's own table."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from allocator.cli.forecast import command
from allocator.forecast import LibraryMissingError, evaluate, forecast_history, levels
from allocator.forecast.classes import CLASSES, classify
from allocator.forecast.loss import pinball
from allocator.forecast.predicting import Prediction, predict_days
from allocator.forecast.seasons import cut
from allocator.history import History, daily, read_history
from allocator.tables.schema import FORECASTS, QUANTILES

START = dt.date(2026, 3, 2)
WEEKS = 30


def _lines(amounts: np.ndarray, item: str = "A", zone: str = "S1") -> pd.DataFrame:
    """Lines of one series whose last day is the one before START."""
    days = pd.date_range(end=START - dt.timedelta(1), periods=len(amounts))
    frame = pd.DataFrame({"item": item, "channel": "shop", "zone": zone, "date": days, "quantity": amounts})
    return frame[frame["quantity"] > 0]


def _history(*frames: pd.DataFrame) -> History:
    return read_history(pd.concat(frames).astype({"date": "datetime64[ns]"}))


@pytest.fixture(scope="module")
def shop() -> pd.DataFrame:
    """Three items in two stores: one by the weekday, one on Wednesdays in packs, one seldom."""
    rng = np.random.default_rng(3)
    days = 7 * WEEKS
    daily_rate = np.tile([4.0, 5.0, 6.0, 6.0, 9.0, 14.0, 2.0], WEEKS)
    frames = []
    for zone in ("S1", "S2"):
        frames.append(_lines(rng.poisson(daily_rate), "A", zone))
        frames.append(_lines(np.where(np.arange(days) % 7 == 2, 6.0 * rng.poisson(2.0, days), 0), "B", zone))
        frames.append(_lines((rng.random(days) < 0.01) * 3.0 + (np.arange(days) == 20), "C", zone))
    return pd.concat(frames)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forecast by the mean alone, which needs no library."""
    monkeypatch.setattr(levels, "METHODS", {})


def _on_wednesdays(frame: pd.DataFrame) -> float:
    """Share of item B's demand."""
    packs = frame[frame["item"] == "B"]
    return float(packs.loc[packs["date"].dt.day_of_week == 2, "mean"].sum() / packs["mean"].sum())


@pytest.mark.usefixtures("plain")
class TestMean:
    """What holds whatever the method."""

    def test_later_sales_change_nothing(self, shop: pd.DataFrame) -> None:
        """Only what was sold before the start is looked at."""
        later = shop.assign(date=shop["date"] + pd.Timedelta(days=7 * WEEKS), quantity=1000.0)
        before = forecast_history(_history(shop), START, 14)
        after = forecast_history(_history(shop, later), START, 14)
        pd.testing.assert_frame_equal(before.frame, after.frame)
        assert before.classes.equals(after.classes)

    def test_table_is_the_networks(self, shop: pd.DataFrame) -> None:
        """The columns are those of `forecasts`, rows sorted by key, quantiles rising, and each row says how demand spreads."""
        frame = forecast_history(_history(shop), START, 14).frame
        assert list(frame.columns) == FORECASTS.names
        assert frame.equals(frame.sort_values(["item", "channel", "zone", "date"], ignore_index=True))
        quantiles = frame[list(QUANTILES)].to_numpy()
        seen = ~np.isnan(quantiles).any(axis=1)
        assert (np.diff(quantiles[seen], axis=1) >= 0).all()
        assert (quantiles[seen] >= 0).all()
        assert (frame["std"].notna() != seen).all()
        assert (frame.loc[seen, "p95"] > 0).all(), "quantiles that are all 0 say nothing"
        assert (frame.loc[~seen, "std"] > 0).all()
        assert not seen[frame["item"] == "C"].all(), "what sells once in months has no quantiles"
        assert frame["date"].between(pd.Timestamp(START), pd.Timestamp(START) + pd.Timedelta(days=13)).all()

    def test_mean_follows_the_day_of_the_week(self, shop: pd.DataFrame) -> None:
        """What sells on Wednesdays is nearly all forecast for Wednesdays, and a busy day's mean is near its rate."""
        frame = forecast_history(_history(shop), START, 14).frame
        assert _on_wednesdays(frame) > 0.9
        busy = frame.loc[(frame["item"] == "A") & (frame["date"].dt.day_of_week == 5), "mean"]
        assert busy.between(10, 18).all()
        packs = frame[(frame["item"] == "B") & (frame["date"].dt.day_of_week == 2)]
        assert packs["mean"].between(6, 18).all()
        assert (packs["p95"] >= 18).all()

    def test_a_start_in_the_middle_of_the_week(self, shop: pd.DataFrame) -> None:
        """Days of the season keep their place when the history ends some days before the start."""
        late = forecast_history(_history(shop), START + dt.timedelta(10), 7)
        assert _on_wednesdays(late.frame) > 0.9
        assert any("10 days before" in note for note in late.notes)

    def test_days_out_of_stock_do_not_count(self) -> None:
        """A day on which stock had run out lowers neither mean nor quantiles."""
        sold = np.full(7 * WEEKS, 10.0)
        sold[-20:] = 1.0
        lines = _lines(sold)
        lost = lines.assign(in_stock=lines["quantity"] > 1)
        told = forecast_history(_history(lost), START, 7).frame
        np.testing.assert_allclose(told["mean"], 10.0)
        np.testing.assert_allclose(told["p05"], 10.0)
        assert (forecast_history(_history(lines), START, 7).frame["mean"] < 9).all()

    def test_quantiles_cover_as_they_say(self, shop: pd.DataFrame) -> None:
        """On counts by the weekday the 90 % interval holds about 90 % of days, and the loss is below the naive one's."""
        pytest.importorskip("statsforecast", reason="the seasonal naive is the library's; extra [forecast]")
        table = evaluate(_history(shop[shop["item"] == "A"]), START, 7, 10).set_index("class")
        assert 0.75 < table.loc["all", "cover90"] <= 1.0
        assert table.loc["all", "gain"] > 0.1

    def test_too_short_a_history_is_refused(self) -> None:
        """Less than two seasons, or nothing before the start, is an error that says so."""
        with pytest.raises(ValueError, match="less than two seasons"):
            forecast_history(_history(_lines(np.ones(10))), START, 7)
        with pytest.raises(ValueError, match="no sales before 2020-01-01"):
            forecast_history(_history(_lines(np.ones(10))), dt.date(2020, 1, 1), 7)


def test_classes_by_interval_and_size() -> None:
    """The four classes are told apart by how often weeks sell and how even they are."""
    weeks = np.arange(40)
    sold = {
        "smooth": np.full(40, 10.0),
        "erratic": np.where(weeks % 4 == 0, 60.0, 5.0),
        "intermittent": np.where(weeks % 3 == 0, 10.0, 0.0),
        "lumpy": np.where(weeks % 3 == 0, np.where(weeks % 9 == 0, 100.0, 5.0), 0.0),
    }
    frames = [_lines(np.repeat(amount, 7) * (np.arange(280) % 7 == 2), name) for name, amount in sold.items()]
    seasons = cut(daily(_history(*frames)), 7)
    found = dict(zip(daily(_history(*frames)).keys["item"], np.array(CLASSES)[classify(seasons)], strict=True))
    assert found == {name: name for name in sold}


def test_pinball_is_least_at_the_quantile() -> None:
    """The loss of the true quantiles is below that of quantiles moved either way."""
    demand = np.random.default_rng(1).exponential(5.0, (1, 20_000))
    true = -5.0 * np.log(1 - np.array(list(QUANTILES.values())))
    known = np.ones(demand.shape, bool)
    losses = [pinball(demand, np.broadcast_to(scale * true, (1, 20_000, 7)), known).mean() for scale in (0.8, 1.0, 1.2)]
    assert losses[1] < min(losses[0], losses[2])


def test_methods_are_chosen_and_shared_out() -> None:
    """A steep trend is not forecast by the mean; two workers give what one gives."""
    pytest.importorskip("statsforecast", reason="methods are the library's; extra [forecast]")
    rng = np.random.default_rng(5)
    rate = np.repeat(np.linspace(5, 80, WEEKS), 7)
    frames = [_lines(rng.poisson(rate), f"I{number}") for number in range(8)]
    grid = daily(_history(*frames))
    one, two = (_predicted(grid, workers) for workers in (1, 2))
    assert one.method["smooth"] != "mean"
    np.testing.assert_array_equal(one.mean, two.mean)
    assert one.mean.mean() > cut(grid, 7).mean.mean() * 1.05


def _predicted(grid: object, workers: int) -> Prediction:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("allocator.forecast.crew.SHARE", 4)
        return predict_days(grid, 0, 14, 7, workers)  # type: ignore[arg-type]


def test_absence_of_the_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error names it."""
    monkeypatch.setitem(__import__("sys").modules, "statsforecast", None)
    with pytest.raises(LibraryMissingError, match=r"inventory-allocator\[forecast\]"):
        levels.library()


@pytest.mark.usefixtures("plain")
def test_command_writes_the_table(shop: pd.DataFrame, tmp_path: Path) -> None:
    """The command maps columns, writes CSV with the wanted levels, and says what it did."""
    source = tmp_path / "sales.csv"
    shop.rename(columns={"zone": "store"}).drop(columns="channel").to_csv(source, index=False)
    out = tmp_path / "forecasts.csv"
    words = [str(source), "--start", str(START), "--column", "zone=store", "--channel", "shop"]
    done = CliRunner().invoke(command, [*words, "-o", str(out), "--level", "80"])
    assert done.exit_code == 0, done.output
    assert "smooth" in done.output
    head = out.read_text(encoding="utf-8").splitlines()[0]
    assert head == "item,channel,zone,date,mean,std,p10,p50,p90"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "nothing to do"),
        (["-o", "x.xlsx"], "neither .csv nor .parquet"),
        (["-o", "x.csv", "--column", "zone"], "is not NAME=THEIRS"),
        (["-o", "x.csv", "--column", "shop=zone"], "is not a column of a history"),
        (["-o", "x.csv"], "has no column channel"),
    ],
)
def test_command_says_what_is_wrong(words: list[str], told: str, tmp_path: Path) -> None:
    """Bad usage and bad input end with exit code 2 and one line that says how to mend it."""
    source = tmp_path / "sales.csv"
    source.write_text("item,zone,date,quantity\nA,S1,2026-01-01,1\n", encoding="utf-8")
    done = CliRunner().invoke(command, [str(source), "--start", str(START), *words])
    assert done.exit_code == 2
    assert told in done.output
