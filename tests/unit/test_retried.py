"""What the user has had tried again: which of it is no news, and until when."""

from custom_components.qbittorrent_resilient import retried
from custom_components.qbittorrent_resilient.retried import QUIET_SECONDS, Retried
from tests.support.core import Time


def test_quiet_for_a_while(time: Time) -> None:
    one = Retried(time.clock)
    assert (one.quiet(), one.seconds_left()) == ([], None)
    one.note(["a", "b"])
    time.seconds += 100
    one.note(["a"])
    assert one.quiet() == ["b", "a"]
    assert one.seconds_left() == QUIET_SECONDS - 100
    time.seconds += QUIET_SECONDS - 100
    assert one.quiet() == ["a"]
    time.seconds += 100
    assert (one.quiet(), one.seconds_left()) == ([], None)


def test_no_more_than_some() -> None:
    one = Retried(Time().clock)
    one.note(map(str, range(retried.MOST_RETRIED + 5)))
    assert len(one.quiet()) == retried.MOST_RETRIED
    one.note(["0"])
    assert "0" in one.quiet()
