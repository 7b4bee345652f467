"""What Home Assistant has stored, as the tests look at it and set it: real files, by their keys."""

from collections.abc import Iterator, MutableMapping
import json
from pathlib import Path
from typing import Any, override

from custom_components.qbittorrent_resilient.core.outbox.journal import Journal, replay

JOURNAL = ".journal"


class StoredFiles(MutableMapping[str, Any]):
    """The files of a storage folder; the changes in a journal count as part of its file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @override
    def __getitem__(self, key: str) -> Any:
        # The journal first: what it had, a file that has replaced it meanwhile has as well.
        changes = Journal(self._folder / f"{key}{JOURNAL}").read()
        try:
            content = json.loads((self._folder / key).read_bytes())
        except FileNotFoundError:
            raise KeyError(key) from None
        if changes:
            data = content["data"]
            data["magnets"] = replay(data["magnets"], changes, after=data["revision"])
        return content

    @override
    def __setitem__(self, key: str, content: Any) -> None:
        self._folder.mkdir(exist_ok=True)
        (self._folder / f"{key}{JOURNAL}").unlink(missing_ok=True)
        (self._folder / key).write_text(json.dumps(content))

    @override
    def __delitem__(self, key: str) -> None:
        try:
            (self._folder / key).unlink()
        except FileNotFoundError:
            raise KeyError(key) from None
        (self._folder / f"{key}{JOURNAL}").unlink(missing_ok=True)

    @override
    def __iter__(self) -> Iterator[str]:
        names = (file.name for file in self._folder.glob("*") if file.is_file())
        return iter([name for name in names if not name.endswith(JOURNAL)])

    @override
    def __len__(self) -> int:
        return len(list(iter(self)))
