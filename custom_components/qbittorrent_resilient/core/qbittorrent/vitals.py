"""What a health check brings."""

from dataclasses import dataclass, field

from .log import Complaint, ExternalAddress


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a server reports: its connection status, and what its log has since the last call.

    `save_failures` are epoch seconds. With `from_the_beginning`, they are all failures of the
    process, not only the new ones, and so are `addresses` and `complaints`. `log_began` has id and
    time of the first message that the process's log had then, `listening` is the id of the last
    message that it listens somewhere (-1: none). `last_v4` and `last_v6` are its last addresses
    outside; None where unknown, and before 5.1. `log_told_at` is when the log was told (epoch
    seconds), by the server's own clock, as the times in it are.
    """

    connection_status: str
    save_failures: tuple[float, ...]
    from_the_beginning: bool
    addresses: tuple[ExternalAddress, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    log_began: tuple[int, float] | None = None
    listening: int = -1
    log_told_at: float = field(default=float("-inf"), compare=False)
    last_v4: str | None = field(default=None, repr=False)
    last_v6: str | None = field(default=None, repr=False)
