"""What is held back: closing stock of the commit window, earmarked by the first use the plan has for it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.network.network import Network
from allocator.plan.account import Stocked
from allocator.plan.frames import Frames
from allocator.plan.moves import Moved


def reserves(network: Network, moved: Moved, stocked: Stocked, frames: Frames) -> pd.DataFrame:
    """Stock at the end of the commit window by the channel it is kept for.

    The stock of an item and site goes to its later uses in order of date (serving before shipping on; ``*`` = shipping on), each unit once;
    what no use in the horizon claims is not reserved.
    """
    last = network.calendar.committed - 1
    columns = ["item", "site", "date", "channel", "quantity"]
    ships, serves = moved.shipments, moved.admissions
    span = np.int64(network.size[1])
    star = len(network.channels)
    claim = network.claims.arc_claim[serves.way]
    uses = pd.DataFrame(
        {
            "key": np.concatenate(
                [
                    serves.item * span + network.claims.arc_site[serves.way],
                    ships.item * span + network.lanes.origin[ships.way],
                ]
            ),
            "bucket": np.concatenate([serves.bucket, ships.bucket]),
            "channel": np.concatenate([network.claims.channel[claim], np.full(len(ships.item), star)]),
            "quantity": np.concatenate([moved.served, moved.shipped]),
        }
    )
    uses = uses[(uses["bucket"] > last) & (uses["quantity"] > 0)]
    uses = uses.sort_values(["key", "bucket", "channel"], kind="stable")
    held = pd.Series(stocked.closing[:, last], index=stocked.item * span + stocked.site)
    before = uses.groupby("key")["quantity"].cumsum() - uses["quantity"]
    stock = uses["key"].map(held).fillna(0.0)
    uses = uses.assign(quantity=np.minimum(uses["quantity"], np.maximum(stock - before, 0.0)))
    total = uses[uses["quantity"] > 0].groupby(["key", "channel"], as_index=False)["quantity"].sum()
    names = np.append(frames.channels, "*")
    key = total["key"].to_numpy()
    frame = pd.DataFrame(
        {
            "item": frames.items[key // span],
            "site": frames.sites[key % span],
            "date": np.repeat(frames.bucket_dates(np.array([max(last, 0)])), len(key)),
            "channel": names[total["channel"].to_numpy()],
            "quantity": total["quantity"].to_numpy(),
        }
    )
    return frame[columns].sort_values(columns[:4], kind="stable").reset_index(drop=True)
