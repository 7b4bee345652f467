"""The exceptions of the core, all derived from ResilientError."""


class ResilientError(Exception):
    """Base of every error that the core raises on purpose; its text never holds a secret."""


class InvalidMagnetError(ResilientError):
    """A text is no magnet link that may be sent to a server; the error's text says why."""


class InvalidTorrentError(InvalidMagnetError):
    """Some bytes are no torrent file that may be sent to a server; the error's text says why."""


class TorrentTooLargeError(InvalidTorrentError):
    """A torrent file is larger than any that is taken."""


class InvalidLinkError(ResilientError):
    """A text is no web link that can be fetched; the error's text says why, without the text."""


class InvalidTargetError(ResilientError):
    """A text is no VPN target; the error's text says why, without the text."""


class PingNotPermittedError(ResilientError):
    """This host permits neither a privileged nor an unprivileged ICMP socket."""


class StorageError(ResilientError):
    """The queue could not be written or read back, so no magnet may be reported as accepted."""


class NewerVersionError(StorageError):
    """A newer version of the integration has written the stored queue."""


class ClosedError(StorageError):
    """The outbox is closed: Home Assistant is stopping, or the config entry is being reloaded."""
