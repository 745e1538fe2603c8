"""A forecasting process: one order in, its answers out (``python -m allocator.forecast.worker``)."""

from __future__ import annotations

import json
import os
import sys

from allocator.engine import frames
from allocator.forecast.levels import predict


def main() -> None:
    """Answer one message."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no part of the answer
    head, body = frames.receive(sys.stdin.buffer), frames.receive(sys.stdin.buffer)
    if head is None or body is None:
        return
    arrays = frames.unpack(body[1])
    answers = {
        str(number): predict(name, arrays[f"totals{number}"], arrays[f"begun{number}"], ahead)
        for number, (name, ahead) in enumerate(json.loads(head[1]))
    }
    frames.send(out, frames.ARRAYS, frames.pack(answers))


if __name__ == "__main__":
    main()
