"""What is held back: closing stock of the commit window, earmarked by the first use the plan has for it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.network.network import Network
from allocator.network.order import order_of, packed
from allocator.plan.account import Stocked
from allocator.plan.frames import Frames
from allocator.plan.moves import Moved


def reserves(network: Network, moved: Moved, stocked: Stocked, frames: Frames) -> pd.DataFrame:
    """Stock at the end of the commit window by the channel it is kept for.

    The stock of an item and site goes to its later uses in order of date (serving before shipping on; ``*`` = shipping on), each unit once;
    what no use in the horizon claims is not reserved.
    """
    last = network.calendar.committed - 1
    ships, serves = moved.shipments, moved.admissions
    span = np.int64(network.size[1])
    star = len(network.channels)
    claim = network.claims.arc_claim[serves.way]
    place = network.claims.arc_site
    key = np.concatenate([serves.item * span + place[serves.way], ships.item * span + network.lanes.origin[ships.way]])
    bucket = np.concatenate([serves.bucket, ships.bucket])
    channel = np.concatenate([network.claims.channel[claim], np.full(len(ships.item), star)])
    quantity = np.concatenate([moved.served, moved.shipped])
    held = np.zeros(network.size[0] * network.size[1])
    held[stocked.item * span + stocked.site] = stocked.closing[:, last]
    rows = np.flatnonzero((bucket > last) & (quantity > 0) & (held[key] > 0))
    rows = rows[order_of(packed(key[rows], bucket[rows], channel[rows]))]
    key, channel, quantity = key[rows], channel[rows], quantity[rows]
    before = pd.Series(quantity).groupby(key).cumsum().to_numpy() - quantity
    used = np.minimum(quantity, np.maximum(held[key] - before, 0.0))
    rows = np.flatnonzero(used > 0)
    total = pd.Series(used[rows]).groupby(key[rows] * (star + 1) + channel[rows]).sum()
    key, channel = np.divmod(total.index.to_numpy(), star + 1)
    item, site = frames.items[key // span], frames.site[key % span]
    channel = np.append(frames.channels, frames.channel.places(["*"]))[channel]
    order = order_of(packed(item, site, channel))
    return pd.DataFrame(
        {
            "item": frames.item.column(item[order]),
            "site": frames.place.column(site[order]),
            "date": np.repeat(frames.bucket_dates(np.array([max(last, 0)])), len(order)),
            "channel": frames.channel.column(channel[order]),
            "quantity": total.to_numpy()[order],
        }
    )
