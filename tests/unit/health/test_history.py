"""What is kept of what was seen: bounded, and changes told apart from repetitions."""

from custom_components.qbittorrent_resilient.core.health.history import (
    LAST_CHANGES,
    LAST_LOOKS,
    History,
    Look,
)


def verdicts(looks: list[Look]) -> list[str | None]:
    return [one.verdict for one in looks]


def test_only_what_is_new_is_a_change() -> None:
    history = History()
    for at, verdict in enumerate([None, "ok", "ok", "timeout", "ok"]):
        history.note(Look(float(at), verdict))
    assert [one.at for one in history.looks] == [0, 1, 2, 3, 4]
    assert [one.at for one in history.changes] == [0, 1, 3, 4]
    assert (history.looked, history.changed) == (5, 4)


def test_another_reason_is_a_change_and_another_figure_is_none() -> None:
    history = History()
    history.note(Look(0, "unknown"))
    history.note(Look(1, "unknown", reason="icmp_not_permitted"))
    history.note(Look(2, "unknown", reason="icmp_not_permitted", in_doubt=True, latency=3, loss=1))
    assert [one.at for one in history.changes] == [0, 1]


def test_the_last_ones_are_kept_and_all_are_counted() -> None:
    history = History()
    for at in range(200):
        history.note(Look(at, "ok" if at % 2 else "error"))
    assert [one.at for one in history.looks] == list(range(200 - LAST_LOOKS, 200))
    assert [one.at for one in history.changes] == list(range(200 - LAST_CHANGES, 200))
    assert (history.looked, history.changed) == (200, 200)


def test_a_change_outlives_the_looks_that_confirmed_it() -> None:
    history = History()
    history.note(Look(0, "ok"))
    for at in range(1, 100):
        history.note(Look(at, "timeout"))
    assert verdicts(list(history.looks)) == ["timeout"] * LAST_LOOKS
    assert verdicts(list(history.changes)) == ["ok", "timeout"]
