"""Words of a plan's tables as categories: a column of millions of codes keeps a byte or a few a row, not a string."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

IntArray = NDArray[np.signedinteger]


class Words:
    """A sorted set of words that columns take their words from.

    Columns of one set compare with each other (``origin == destination``) and sort as their words do.

    Attributes
    ----------
    dtype : CategoricalDtype
    """

    def __init__(self, *lists: Iterable[str]) -> None:
        words = sorted({word for words in lists for word in words})
        self.dtype = pd.CategoricalDtype(pd.Index(words, dtype=None if words else object))
        self._place = {word: place for place, word in enumerate(words)}

    def places(self, words: Sequence[str]) -> IntArray:
        """(n,) place of each word in the set, in the smallest integers that hold it."""
        small = np.min_scalar_type(-max(len(self._place), 1))
        return np.fromiter((self._place[word] for word in words), dtype=small, count=len(words))

    def column(self, places: IntArray) -> pd.Categorical:
        """A column of words from their places."""
        return pd.Categorical.from_codes(places, dtype=self.dtype)

    def of(self, words: Sequence[str], rows: IntArray) -> pd.Categorical:
        """A column of ``words[row]`` for each row."""
        return self.column(self.places(words)[rows])

    def only(self, word: str, rows: int) -> pd.Categorical:
        """A column of one word."""
        return self.column(np.full(rows, self._place[word], dtype=self.places([word]).dtype))
