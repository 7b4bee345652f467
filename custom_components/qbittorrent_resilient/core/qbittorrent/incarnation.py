"""Which process of a server answered: another process means a restart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Incarnation:
    """A process of a server, by the sessions renewed so far and by its launch time (epoch seconds).

    None stands for unknown; servers before 5.2 do not tell their launch time. `log_began` has id
    and time of the first message of its log, only where a restart has to be proven.
    """

    renewals: int | None = None
    launched: float | None = None
    log_began: tuple[int, float] | None = None

    def is_same_as(self, other: Incarnation) -> bool:
        """Tell whether there is no sign of a restart between the two.

        The launch time settles that (5.2 and newer): one that is told no more, or only now, is of
        another version. Else a lost session is the sign, and so is not knowing: a magnet that is
        delivered again is better than a magnet that is lost.
        """
        if self.launched is not None or other.launched is not None:
            return self.launched == other.launched
        return self.renewals is not None and self.renewals == other.renewals

    def differs_from(self, other: Incarnation) -> bool:
        """Tell whether it is certain that there was a restart between the two."""
        if self.launched is not None and other.launched is not None:
            return self.launched != other.launched
        if self.renewals is None or other.renewals is None:
            return False
        return self.renewals != other.renewals
