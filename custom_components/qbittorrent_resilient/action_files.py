"""Torrent files that an action is given: read, checked, and put where jobs have theirs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
import os
from pathlib import Path
import stat

from homeassistant.core import HomeAssistant

from .core.dispatcher import Dispatcher
from .core.errors import InvalidTorrentError, TorrentTooLargeError
from .core.intake import Intake
from .core.names import shown
from .core.outbox.job import Reason
from .core.torrent_file import MAX_TORRENT_BYTES, TorrentFile, read_torrent

MOST_FILES = 1000
"""In one call; the response names each."""
_TEXT_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file that is given itself, not by its path, and the name that it came with."""

    name: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that is not delivered: its index in the input, why, and its name without its path."""

    index: int
    reason: Reason
    detail: str
    text: str


async def async_take_files(
    hass: HomeAssistant,
    dispatcher: Dispatcher,
    files: Sequence[str | GivenFile],
    intake: Intake,
    most: int | None,
) -> tuple[dict[str, str], list[FailedFile]]:
    """Add the torrents in these files to an intake; return what was put for them, and what failed.

    What was put goes by info-hash; a text is a path. A torrent that the intake has already, by
    whichever hash, is delivered as a file, once. Raises StorageError, and then nothing is kept.
    """
    put: dict[str, str] = {}
    failed: list[FailedFile] = []
    known = {
        topic: magnet.info_hash
        for magnet in (*intake.magnets, *intake.skipped)
        for topic in (magnet.v1, magnet.v2)
        if topic
    }
    wanted = {magnet.info_hash for magnet in intake.magnets}
    try:
        for index, file in enumerate(files, intake.count):
            try:
                torrent = await hass.async_add_executor_job(_read, hass, file)
            except InvalidTorrentError as err:
                reason = Reason.NOT_A_TORRENT
                if isinstance(err, TorrentTooLargeError):
                    reason = Reason.TOO_LARGE
                failed.append(FailedFile(index, reason, str(err), _text(file)))
                continue
            magnet = torrent.magnet
            topics = [topic for topic in (magnet.v1, magnet.v2) if topic]
            info_hash = next((known[topic] for topic in topics if topic in known), None)
            if info_hash is None:
                info_hash = magnet.info_hash
                known |= dict.fromkeys(topics, info_hash)
                if most is not None and len(intake.magnets) >= most:
                    intake.skipped.append(magnet)
                    continue
                intake.magnets.append(magnet)
                intake.places[info_hash] = index
                wanted.add(info_hash)
            if info_hash in wanted and info_hash not in put:
                put[info_hash] = await dispatcher.torrent_files.put(torrent.data)
    except BaseException:
        await dispatcher.release(put.values())
        raise
    return put, failed


def _read(hass: HomeAssistant, file: str | GivenFile) -> TorrentFile:
    """Return the torrent in a file that Home Assistant may read; raises InvalidTorrentError."""
    return read_torrent(file.data if isinstance(file, GivenFile) else _content(hass, file))


def _content(hass: HomeAssistant, path: str) -> bytes:
    """Return what is in a file that Home Assistant may read; raises InvalidTorrentError."""
    try:
        place = Path(path).resolve()
        if not hass.config.is_allowed_path(str(place)):
            raise InvalidTorrentError("its folder is not in allowlist_external_dirs")
        # What is no plain file may never end, or wait for somebody.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
        with os.fdopen(os.open(place, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidTorrentError("it is no file")
            return file.read(MAX_TORRENT_BYTES + 1)
    except FileNotFoundError:
        raise InvalidTorrentError("there is no such file") from None
    except (OSError, ValueError) as err:
        raise InvalidTorrentError("it cannot be read") from err


def _text(file: str | GivenFile) -> str:
    """Return the name of a file as it is shown."""
    path = file.name if isinstance(file, GivenFile) else file
    return shown(path.rpartition("/")[2])[:_TEXT_CHARACTERS]
