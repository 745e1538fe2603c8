"""Codes a planner asks for: known, or refused with the nearest one suggested."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


class UnknownCode(LookupError, ValueError):
    """An item or site that the plan's network does not have."""


def known(kind: str, asked: str, codes: Sequence[str]) -> str:
    """Hand the code back if it is one of `codes`.

    Raises
    ------
    UnknownCode
        With the nearest code suggested.
    """
    if asked in codes:
        return asked
    folded = {code.casefold(): code for code in reversed(codes)}
    word = asked.strip().casefold()
    close = difflib.get_close_matches(word, list(folded), n=20, cutoff=0.5)
    near = sorted(close, key=lambda code: (-difflib.SequenceMatcher(None, code, word).ratio(), code))
    hint = f"did you mean {folded[near[0]]!r}?" if near else f"the first is {codes[0]!r}" if codes else "there are none"
    raise UnknownCode(f"{kind}: expected one of the network's {len(codes)} {kind}s, found {asked!r}; {hint}")
