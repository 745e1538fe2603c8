"""A plan's own ledger against its projections: the same replay, without any database."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from allocator.ledger.planned import foreseen
from allocator.ledger.replay import Difference, effects
from allocator.ledger.transactions import SLACK, days, millionths
from allocator.plan.plan import Plan


def against_projections(plan: Plan) -> tuple[int, list[Difference]]:
    """Rebuild closing stock by item, site and bucket from the plan's opening stock, receipts and ledger, and compare it with its projections.

    Returns
    -------
    checked : int
        Item-site-buckets that were compared.
    apart : list of Difference
        Where they differ; ``lot`` holds the bucket's first day.
    """
    settings = plan.network.settings
    offset = np.concatenate([[0], np.cumsum(settings.buckets)])[:-1]
    first = np.array([(settings.start + dt.timedelta(days=int(day))).isoformat() for day in offset], dtype=object)
    done = effects(foreseen(plan))
    done = done[done["day"] < settings.end.isoformat()]
    bucket = np.maximum(np.searchsorted(first.astype(str), done["day"].to_numpy().astype(str), side="right") - 1, 0)
    moved = done["millionths"].groupby([done["item"], done["site"], bucket]).sum()
    level: Any = moved.unstack(fill_value=0).reindex(columns=range(len(first)), fill_value=0).cumsum(axis=1).stack()
    told = plan.tables["projections"]
    place = pd.Series(first.searchsorted(days(told["date"])))
    keys = pd.MultiIndex.from_arrays([told["item"].astype(object), told["site"].astype(object), place])
    stated = pd.Series(millionths(told["stock"], len(told)), index=keys)
    both = pd.concat([level.rename("ledger"), stated.rename("other")], axis=1).fillna(0).astype(np.int64)
    apart = both[(both["ledger"] - both["other"]).abs() > SLACK].sort_index()
    found = [
        Difference(str(item), str(first[at]), str(site), int(row.ledger), int(row.other))
        for (item, site, at), row in zip(apart.index, apart.itertuples(index=False), strict=True)
    ]
    return len(both), found
