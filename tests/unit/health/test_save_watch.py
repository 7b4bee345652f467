"""Which process of a server is which, and whether it would log a failed save."""

import json

import pytest

from custom_components.qbittorrent_resilient.core.health.save_watch import was_restarted
from custom_components.qbittorrent_resilient.core.qbittorrent.answer import Answer
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import ProtocolError
from custom_components.qbittorrent_resilient.core.qbittorrent.incarnation import Incarnation
from custom_components.qbittorrent_resilient.core.qbittorrent.resume_data import may_fail_unsaid


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (Incarnation(1, 500.0), Incarnation(2, 500.0), False),
        (Incarnation(1, 500.0), Incarnation(1, 900.0), True),
        (Incarnation(1, None, (3, 500.0)), Incarnation(2, None, (3, 500.0)), False),
        (Incarnation(1, None, (3, 500.0)), Incarnation(2, None, (3, 900.0)), True),
        (Incarnation(None, None, (3, 500.0)), Incarnation(0, None, (3, 900.0)), True),
        # Its log has lost its first messages, or never was read from them on.
        (Incarnation(1, None, (3, 500.0)), Incarnation(2, None, (7000, 900.0)), None),
        (Incarnation(1, None, (3, 500.0)), Incarnation(1, None, (7000, 900.0)), False),
        (Incarnation(1, None, None), Incarnation(2, None, (3, 900.0)), None),
        # A session that ended is no proof, and neither is not knowing.
        (Incarnation(1), Incarnation(2), None),
        (Incarnation(), Incarnation(), None),
        # Just started, it does not tell its launch time apart; or it is of a newer release.
        (Incarnation(1, 500.0, (5, 501.0)), Incarnation(None, None, (5, 901.0)), True),
        (Incarnation(1, None, (3, 500.0)), Incarnation(2, 900.0, (5, 900.0)), True),
    ],
)
def test_restarted(before: Incarnation, now: Incarnation, expected: bool | None) -> None:
    assert was_restarted(before, now) is expected


def _settings(values: object) -> Answer:
    return Answer(200, "application/json", json.dumps(values).encode())


@pytest.mark.parametrize(
    ("version", "silent"),
    [("v4.5.2", False), ("v4.6.0", True), ("v4.50.0", True), ("v5.3.0", True), (None, True)],
)
def test_only_some_log_what_sqlite_does_not_store(version: str | None, silent: bool) -> None:
    assert may_fail_unsaid(_settings({"resume_data_storage_type": "SQLite"}), version) is silent
    assert not may_fail_unsaid(_settings({"resume_data_storage_type": "Legacy"}), version)
    assert not may_fail_unsaid(_settings({}), version)


def test_settings_of_another_form() -> None:
    with pytest.raises(ProtocolError):
        may_fail_unsaid(_settings([]), "v5.3.0")
