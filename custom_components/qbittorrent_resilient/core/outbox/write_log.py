"""What the log says of an outbox that cannot be written."""

import logging

from ..errors import ClosedError, StorageError

_LOGGER = logging.getLogger(__name__)


class WriteLog:
    """Logs once that the queue cannot be written, and once that it can be again."""

    def __init__(self) -> None:
        """Take it for writable."""
        self._unwritable = False

    def note(self, err: BaseException | None) -> None:
        """Take note of how a commit ended; a closed queue and a commit cut off say nothing."""
        fails = isinstance(err, StorageError) and not isinstance(err, ClosedError)
        if fails and not self._unwritable:
            _LOGGER.error("The queue cannot be written: %s", err)
        elif err is None and self._unwritable:
            _LOGGER.info("The queue can be written again")
        self._unwritable = fails or (self._unwritable and err is not None)
