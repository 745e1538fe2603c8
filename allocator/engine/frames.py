"""Messages between the solver's parent and child: a length, a kind, JSON or named arrays. No pickle."""

from __future__ import annotations

import io
import json
import struct
from typing import Any, BinaryIO

import numpy as np

_HEAD = struct.Struct("<cQ")
JSON, ARRAYS = b"j", b"a"


def send(stream: BinaryIO, kind: bytes, body: bytes) -> None:
    """Write one message."""
    stream.write(_HEAD.pack(kind, len(body)))
    stream.write(body)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """Read one message, None at the end of the stream."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, length = _HEAD.unpack(head)
    parts = []
    while length:
        part = stream.read(min(length, 1 << 24))
        if not part:
            return None
        parts.append(part)
        length -= len(part)
    return kind, b"".join(parts)


def pack(values: dict[str, Any]) -> bytes:
    """Named arrays as bytes."""
    buffer = io.BytesIO()
    names = list(values)
    head = json.dumps(names).encode()
    buffer.write(struct.pack("<Q", len(head)) + head)
    for name in names:
        np.save(buffer, np.ascontiguousarray(values[name]), allow_pickle=False)
    return buffer.getvalue()


def unpack(body: bytes) -> dict[str, Any]:
    """Named arrays from bytes."""
    (length,) = struct.unpack("<Q", body[:8])
    names = json.loads(body[8 : 8 + length])
    buffer = io.BytesIO(body)
    buffer.seek(8 + length)
    return {name: np.load(buffer, allow_pickle=False) for name in names}
