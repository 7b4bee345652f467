"""What is on disk: Home Assistant's books, and what a server has saved."""

from collections.abc import Collection
import json
import os
from pathlib import Path
from typing import Any

from custom_components.qbittorrent_resilient.core.outbox.journal import Journal, replay

DOMAIN = "qbittorrent_resilient"
_JOURNAL = ".journal"
_OF_A_REMOVED_ENTRY = f"{DOMAIN}.kept"

type Records = dict[str, dict[str, Any]]


def read_books(storage: Path) -> Records:
    """Return the books: the stored file, and the changes in the journal beside it.

    While both are read, the journal may move into the file: then they are read once more.
    """
    names = {path.name.removesuffix(_JOURNAL) for path in storage.glob(f"{DOMAIN}.*")}
    for name in names:
        if name.count(".") > 1 or name == _OF_A_REMOVED_ENTRY:  # the others were set aside
            continue
        file, journal = storage / name, Journal(storage / (name + _JOURNAL))
        while True:
            version = _version(file)
            data = _data(file)
            changes = journal.read()
            if version == _version(file):
                return replay(data["magnets"], changes, after=data["revision"])
    return {}


def _version(file: Path) -> tuple[int, int] | None:
    """Return what differs once the file has been replaced."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _data(file: Path) -> dict[str, Any]:
    """Return what the file holds."""
    try:
        data: dict[str, Any] = json.loads(file.read_bytes())["data"]
    except FileNotFoundError:
        return {"revision": 0, "magnets": {}}
    return data


def saved(profile: Path, keys: Collection[str]) -> list[Path]:
    """Return the resume files that a server has written for these magnets."""
    folder = profile / "qBittorrent" / "data" / "BT_backup"
    paths = (folder / f"{key}.fastresume" for key in keys)
    return [path for path in paths if os.access(path, os.F_OK)]
