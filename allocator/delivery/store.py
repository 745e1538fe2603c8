"""A plan in an object store: its files under a name of their own, the manifest that points to them last."""

from __future__ import annotations

import io
import json

from allocator.delivery.parcel import Parcel
from allocator.stores import Store

MANIFEST = "manifest.json"
FOLDER = "folder"
"""Key of the manifest in the target's own folder: the folder beside it that holds the plan's files."""


def folder_of(parcel: Parcel) -> str:
    """Name of the folder that holds a plan's files: the same for the same contents."""
    return f"{parcel.plan_id}-{parcel.contents[:8]}"


def upload(parcel: Parcel, store: Store) -> bool:
    """Send a plan's files, and its manifest when all of them are there; gives whether they were there already.

    A store has no renaming, so an older plan's files are never written over: each plan has a folder of its own, and the manifest of the
    target, one object written in one step, says which one is current.

    Raises
    ------
    StoreError
        When the store refuses; the manifest still points to the older plan.
    """
    folder = folder_of(parcel)
    known = store.size(f"{folder}/{MANIFEST}") is not None
    if not known:
        for name, file in parcel.files.items():
            file.seek(0)
            store.put(f"{folder}/{name}", file)
        store.put(f"{folder}/{MANIFEST}", io.BytesIO(parcel.text.encode()))
    pointer = dict(parcel.manifest) | {FOLDER: folder}
    text = json.dumps(pointer, indent=1, ensure_ascii=False) + "\n"
    store.put(MANIFEST, io.BytesIO(text.encode()))
    return known
