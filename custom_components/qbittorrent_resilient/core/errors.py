"""What can go wrong in the core: a handful of exceptions under one base."""

from .models import InstanceStatus


class ResilientError(Exception):
    """Base of every error that the core raises on purpose; its text never holds a secret."""


class InvalidMagnetError(ResilientError):
    """The text is not a magnet link that may be handed to a server; the text says why."""


class InvalidUrlError(ResilientError):
    """The text is not the address of a web interface; the text says why."""


class PingNotPermittedError(ResilientError):
    """This host lets us open neither a privileged nor an unprivileged ICMP socket."""


class StorageError(ResilientError):
    """The queue could not be written or read back; nothing may be claimed as accepted."""


class ClosedError(StorageError):
    """Nothing is written any more, as Home Assistant stops or the entry is reloaded."""


class InstanceError(ResilientError):
    """An instance did not do what it was asked.

    `status` is the word that describes the instance from now on. `maybe_done` is true where the
    request may have been carried out all the same: it was sent, and no definite answer came.
    """

    def __init__(self, status: InstanceStatus, detail: str, *, maybe_done: bool = False) -> None:
        """Keep the status word and whether the request may have been carried out."""
        super().__init__(detail)
        self.status = status
        self.maybe_done = maybe_done


class TooLongError(InstanceError):
    """The answer is longer than any right one: what was asked for has to be less."""
