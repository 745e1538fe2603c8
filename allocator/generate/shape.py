"""What a made-up network looks like before any quantity is drawn: its size, its sites and its codes."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

START = date(2026, 1, 5)  # a Monday
CATEGORIES = 12

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Columns = dict[str, pa.Array]


@dataclass(frozen=True)
class Shape:
    """The size of a made-up network and how strained it is.

    Parameters
    ----------
    items, stores, days, channels, dcs : int
        Counts, at least 1 each. Channel 1 is the stores' walk-in trade, channel 2 is online, more are bulk buyers.
    seed : int
        Everything drawn follows from it and the counts.
    tight : float
        Share of capacity rows below the expected load.
    expiring : float
        Share of items whose lots expire.

    Raises
    ------
    ValueError
        When a count is below 1 or a share is outside 0 to 1.
    """

    items: int
    stores: int
    days: int
    channels: int
    dcs: int
    seed: int
    tight: float
    expiring: float

    def __post_init__(self) -> None:
        for name in ("items", "stores", "days", "channels", "dcs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, found {getattr(self, name)}; ask for 1 or more")
        for name in ("tight", "expiring"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected a share from 0 to 1, found {getattr(self, name)}")
        if self.seed < 0:
            raise ValueError(f"seed: expected 0 or more, found {self.seed}")

    def random(self, stream: int) -> np.random.Generator:
        """Give one table's own random numbers, so that a change in one leaves the others alone."""
        return np.random.default_rng([self.seed, stream])

    @property
    def item_codes(self) -> pa.Array:
        """Item codes, (items,)."""
        return codes("I", self.items)

    @property
    def store_codes(self) -> pa.Array:
        """Store codes, (stores,); a store's walk-in zone has its code."""
        return codes("S", self.stores)

    @property
    def dc_codes(self) -> pa.Array:
        """DC codes, (dcs,)."""
        return codes("DC", self.dcs, width=2)

    @property
    def site_codes(self) -> pa.Array:
        """All sites: the supplier, the DCs, the stores, (1 + dcs + stores,)."""
        return pa.concat_arrays([pa.array(["SUPPLIER"]), self.dc_codes, self.store_codes])

    @property
    def region_codes(self) -> pa.Array:
        """Zones of the channels that are not walk-in: one region a DC, (dcs,)."""
        return codes("R", self.dcs, width=2)

    @property
    def channel_codes(self) -> pa.Array:
        """Channel codes, (channels,)."""
        return pa.array([*("store", "online"), *(f"bulk{k}" for k in range(3, self.channels + 1))][: self.channels])

    @property
    def home(self) -> Ints:
        """Each store's own DC, (stores,) index into `dc_codes`."""
        return np.arange(self.stores) % self.dcs

    @property
    def dates(self) -> pa.Array:
        """The days of the horizon, (days,) date32."""
        return days_from_start(np.arange(self.days))


def codes(prefix: str, count: int, width: int = 0) -> pa.Array:
    """Number codes from 1, padded so that they sort in order."""
    digits = max(width, len(str(count)))
    return pa.array([f"{prefix}{k:0{digits}d}" for k in range(1, count + 1)], pa.string())


def days_from_start(offsets: Ints) -> pa.Array:
    """Turn day offsets from the start into date32."""
    epoch = (START - date(1970, 1, 1)) // timedelta(days=1)
    return pa.array((np.asarray(offsets) + epoch).astype(np.int32)).cast(pa.date32())


def take(values: pa.Array, index: npt.NDArray[np.integer]) -> pa.Array:
    """Pick values by position."""
    return values.take(pa.array(np.asarray(index, dtype=np.int64)))
