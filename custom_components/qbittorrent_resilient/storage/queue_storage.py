"""The stored queue of one config entry: who may write it, when, and what becomes of it."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
import logging
from pathlib import Path
from typing import override

from homeassistant.core import CALLBACK_TYPE, CoreState, HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..core.errors import ClosedError, StorageError
from ..core.listeners import Listeners
from ..core.outbox.files import unconfirmed
from ..core.outbox.journal import Journal
from ..core.outbox.record import Record, files_of
from ..core.outbox.store import QueueStore, RecordStore
from ..core.outbox.torrent_files import TorrentFiles
from ..core.outbox.torrent_folder import TorrentFolder
from .orphans import LINKS, OrphanedMagnets
from .record_file import RecordFile

_LOGGER = logging.getLogger(__name__)

_STOPPING = (CoreState.stopping, CoreState.final_write, CoreState.stopped)


@dataclass(frozen=True, slots=True)
class StorageReport:
    """What the user should know.

    `unreadable_files` are no longer read, under the names that they have now. `orphans` is how many
    magnets wait for another entry, or None where that has not changed.
    """

    unreadable_files: tuple[Path, ...] = ()
    orphans: int | None = None


@dataclass
class _Ownership:
    """What the storages of one entry share: only the newest of them may write."""

    torrent_files: TorrentFiles
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    owner: QueueStorage | None = None


_OWNERSHIPS: HassKey[dict[str, _Ownership]] = HassKey(f"{DOMAIN}_ownerships")


class QueueStorage(QueueStore):
    """The records of an entry's queue, in the storage folder.

    While Home Assistant stops, a Store does not write but remembers the data for later. So commits
    are refused then.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str, *, of_links: bool = False) -> None:
        """Use the files of this entry: those of its magnets, or those of its web links."""
        self._hass = hass
        self._of_links = of_links
        name = f"{entry_id}{LINKS if of_links else ''}"
        snapshot = RecordFile(hass, f"{DOMAIN}.{name}")
        self.path = snapshot.path
        """Where the snapshot is; the journal is beside it."""
        journal = Journal(f"{snapshot.path}.journal")
        self._store = RecordStore(snapshot, journal, hass.async_add_executor_job)
        self._orphans = OrphanedMagnets(hass, of_links=of_links)
        self._paths = (
            *(snapshot.path, journal.path, self._orphans.path),
            *(() if of_links else (_torrent_folder(snapshot.path),)),
        )
        self._ownership = hass.data.setdefault(_OWNERSHIPS, {}).setdefault(
            name, _Ownership(_torrent_files(hass, snapshot.path))
        )
        self.torrent_files = self._ownership.torrent_files
        self._listeners = Listeners[StorageReport]()

    @callback
    def subscribe(self, listener: Callable[[StorageReport], None]) -> CALLBACK_TYPE:
        """Have a listener called with what loading and committing find; return how to end that."""
        return self._listeners.subscribe(listener)

    @override
    async def load(self) -> Mapping[str, Record]:
        """Read the files, and adopt the orphans of a removed entry; raises StorageError."""
        async with self._ownership.lock:
            self._ownership.owner = self
            orphans = None
            try:
                await self._store.load()
                if await self._adopt_orphans() and not self._of_links:  # the others tell
                    orphans = 0
            finally:
                earlier = await self._hass.async_add_executor_job(self._unconfirmed)
                self._publish(self._report(orphans, *earlier))
            if orphans is not None and not earlier:  # else what refers to a file may come back
                await self._keep_files_of(self._store.records)
            return dict(self._store.records)

    @override
    async def commit(self, put: Mapping[str, Record], drop: Collection[str]) -> None:
        """Write the changes and read back that they are there; raises StorageError.

        A commit that has begun is finished, even if the caller is cancelled.
        """
        if self._hass.state in _STOPPING:
            raise ClosedError("Home Assistant is stopping")
        # When Home Assistant stops, it cuts off what an eager task has asked of the executor.
        task = self._hass.async_create_task(
            self._commit(put, drop), "queue commit", eager_start=False
        )
        if (error := await asyncio.shield(task)) is not None:
            raise error

    async def retire(self, servers: Mapping[str, str] | None = None) -> StorageReport:
        """Delete the files of an entry that is removed; what it still owes becomes orphans.

        `servers` are the names of its servers, by their keys. Files that cannot be read or deleted
        stay, and are in the report.
        """
        orphans = None
        async with self._ownership.lock:
            self._ownership.owner = self
            try:
                orphans = await self._orphans.add(await self._store.read(), servers)
                await self._store.remove()
                await self._keep_files_of(await self._orphans.load())
            except StorageError as err:
                _LOGGER.error("The stored queue is not deleted: %s", err)
                return self._report(orphans, self.path)
            return self._report(orphans)

    def count_unreadable(self, is_known: Callable[[str], object]) -> int:
        """Return how many records are no jobs, of those whose info-hash is not known."""
        return self._store.count_unreadable(is_known)

    async def _commit(
        self, put: Mapping[str, Record], drop: Collection[str]
    ) -> StorageError | None:
        """Write the changes; return the error, as nobody may be left to catch it."""
        try:
            async with self._ownership.lock:
                if self._ownership.owner is not self:
                    raise ClosedError("the queue was loaded anew")
                await self._store.commit(put, drop)
        except StorageError as err:
            return err
        finally:
            self._publish(self._report())
        return None

    async def _adopt_orphans(self) -> bool:
        """Move the orphans into this queue; tell whether that worked. If not, they stay orphans."""
        try:
            if orphans := await self._orphans.load():
                await self._store.rewrite({**orphans, **self._store.records})
            await self._orphans.discard()
        except StorageError as err:
            _LOGGER.warning("The magnets of the removed entry are not taken over yet: %s", err)
            return False
        return True

    async def _keep_files_of(self, records: Mapping[str, Record]) -> None:
        """Remove all torrent files but those that these records refer to; links have none."""
        if self._of_links:
            return
        files = await self._hass.async_add_executor_job(files_of, records)
        await self.torrent_files.keep_only(files.values())

    def _unconfirmed(self) -> list[Path]:
        """Return the files that were set aside, now or before, and are not confirmed yet."""
        try:
            return [file for path in self._paths for file in unconfirmed(path)]
        except OSError:
            return []  # a folder that cannot be read is told otherwise

    def _report(self, orphans: int | None = None, *unreadable_files: Path) -> StorageReport:
        quarantined = self._store.take_quarantined() + self._orphans.take_quarantined()
        return StorageReport(tuple(dict.fromkeys(quarantined + unreadable_files)), orphans)

    def _publish(self, report: StorageReport) -> None:
        if report != StorageReport():
            self._listeners.notify(report)


def _torrent_files(hass: HomeAssistant, beside: Path) -> TorrentFiles:
    """Return the torrent files in the storage folder, where `beside` is."""
    return TorrentFiles(TorrentFolder(_torrent_folder(beside)), hass.async_add_executor_job)


def _torrent_folder(beside: Path) -> Path:
    return beside.with_name(f"{DOMAIN}.torrents")


async def async_discard_orphans(hass: HomeAssistant) -> None:
    """Delete the orphans; raises StorageError. An entry that is set up may need torrent files."""
    orphans = OrphanedMagnets(hass)
    await orphans.discard()
    await OrphanedMagnets(hass, of_links=True).discard()
    if not hass.config_entries.async_entries(DOMAIN):
        await _torrent_files(hass, orphans.path).keep_only(())


async def async_retire(
    hass: HomeAssistant, entry_id: str, servers: Mapping[str, str]
) -> StorageReport:
    """Delete the stored queue of an entry that is removed, except for what it still owes.

    `servers` are the names of its servers, by their keys.
    """
    magnets = await QueueStorage(hass, entry_id).retire(servers)
    links = await QueueStorage(hass, entry_id, of_links=True).retire(servers)
    for name in (entry_id, f"{entry_id}{LINKS}"):
        hass.data[_OWNERSHIPS].pop(name, None)
    counts = [one.orphans for one in (magnets, links) if one.orphans is not None]
    files = magnets.unreadable_files + links.unreadable_files
    return StorageReport(files, sum(counts) if counts else None)
