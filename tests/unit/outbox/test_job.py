"""Entries: their stages, and what is stored of them."""

from copy import replace
import json
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.magnet import MAX_MAGNET_BYTES, Magnet
from custom_components.qbittorrent_resilient.core.outbox.crash import Crash
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.outbox.record import from_record, to_record
from custom_components.qbittorrent_resilient.core.qbittorrent.incarnation import Incarnation
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.support.common import info_hash, link

FULL = Job(
    magnet=Magnet.parse(link(1, extra="&tr=http%3A%2F%2Fcanary.example")),
    queued_at=1000.5,
    options=AddOptions(
        category="films",
        save_path="/data",
        tags=("a", "b"),
        stopped=False,
        automatic_management=False,
        sequential=True,
        first_last_piece_first=False,
    ),
    require_vpn=True,
    max_retries=0,
    keep=False,
    stage=Stage.SETTLING,
    attempts=3,
    last_attempt=1100.0,
    reason="timeout",
    sent_to="key",
    sent_at=1200.25,
    failed_at=1300.0,
    incarnation=Incarnation(launched=900.0, log_began=(3, 901.0)),
    unsaved=True,
    suspects=("other", "third"),
    crash=Crash("key", 1150.5, alone=True, crashes=2, process=Incarnation(launched=850.0)),
    instances=("third", "key"),
    file="ab" * 32,
)
BARE = Job(magnet=Magnet.parse(link(2)), queued_at=0.0)


@pytest.mark.parametrize(
    "job",
    [
        FULL,
        BARE,
        replace(BARE, crash=Crash("key", 0.0, is_open=False)),
        replace(BARE, options=AddOptions(category="", save_path="", tags=(), stopped=True)),
        *(replace(FULL, stage=stage) for stage in Stage),
    ],
)
def test_stored_and_read_back(job: Job) -> None:
    assert from_record(json.loads(json.dumps(to_record(job)))) == job


def test_what_an_earlier_version_reads_of_a_record() -> None:
    """It passes over the wishes that it does not know; the rest has not changed."""
    later = ("instances", "automatic_management", "sequential", "first_last_piece_first")
    record = to_record(FULL)
    earlier = {name: value for name, value in record.items() if name not in later}
    assert len(record) == len(earlier) + len(later)
    options = AddOptions(category="films", save_path="/data", tags=("a", "b"), stopped=False)
    assert from_record(earlier) == replace(FULL, options=options, instances=None)


def test_defaults_are_not_stored() -> None:
    assert to_record(BARE) == {"link": BARE.magnet.link, "stage": "queued", "queued_at": 0.0}


@pytest.mark.parametrize("fill", ["x", "ä", " ", "\N{GRINNING FACE}"])
def test_longest_link_is_read_back(fill: str) -> None:
    """Percent-encoded, it is longer than what may be given."""
    start = link(1)
    text = start + fill * ((MAX_MAGNET_BYTES - len(start) - 1) // len(fill.encode())) + "."
    job = Job(magnet=Magnet.parse(text), queued_at=1.0)
    assert from_record(to_record(job)) == job


@pytest.mark.parametrize(
    "change",
    [
        {"link": "magnet:?xt=urn:btih:canary"},
        {"crash": None},
        {"crash": "canary"},
        {"crash": {}},
        {"crash": {"instance": "key"}},
        {"crash": {"instance": 1, "at": 1.0}},
        {"crash": {"instance": "key", "at": "soon"}},
        {"crash": {"instance": "key", "at": 1.0, "alone": 1}},
        {"crash": {"instance": "key", "at": 1.0, "crashes": True}},
        {"crash": {"instance": "key", "at": 1.0, "launched": "canary"}},
        {"link": "http://canary.example"},
        {"link": None},
        {"link": 1},
        {"stage": "canary"},
        {"stage": None},
        {"queued_at": "canary"},
        {"queued_at": None},
        {"tags": 1},
        {"tags": "canary"},
        {"tags": [1]},
        {"suspects": "canary"},
        {"suspects": [1]},
        {"instances": "canary"},
        {"instances": [None]},
        {"category": 1},
        {"stopped": 1},
        {"automatic_management": "true"},
        {"sequential": None},
        {"first_last_piece_first": 0},
        {"attempts": None},
        {"attempts": True},
        {"keep": 1},
        {"sent_to": 5},
        {"sent_at": "soon"},
        {"launched": "today"},
    ],
)
def test_unreadable(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not a stored magnet|Stage|type|text"):
        from_record(to_record(FULL) | change)


@pytest.mark.parametrize("record", [{}, [], "text", None, {"link": BARE.magnet.link}])
def test_no_record(record: Any) -> None:
    with pytest.raises(ValueError, match="not a stored magnet"):
        from_record(record)


def test_no_record_of_another_torrent() -> None:
    record = to_record(FULL)
    assert from_record(record, FULL.info_hash) == FULL
    with pytest.raises(ValueError, match="another torrent"):
        from_record(record, BARE.info_hash[:-1] + "e")


def test_ways_of_an_entry() -> None:
    sent = BARE.with_intent("key", 5.0)
    assert (sent.stage, sent.sent_to, sent.sent_at) == (Stage.QUEUED, "key", 5.0)
    assert sent.without_intent() == BARE
    tried = BARE.attempted("timeout", 6.0).attempted("error", 7.0)
    assert (tried.reason, tried.attempts, tried.last_attempt) == ("error", 2, 7.0)
    settling = replace(tried, unsaved=True).delivered_to("other", 8.0, Incarnation(4, 2.0))
    assert (settling.stage, settling.sent_to, settling.sent_at) == (Stage.SETTLING, "other", 8.0)
    assert (settling.incarnation, settling.unsaved) == (Incarnation(4, 2.0), False)
    failed = sent.failed_with("expired", 9.0)
    assert (failed.stage, failed.reason, failed.failed_at) == (Stage.FAILED, "expired", 9.0)
    assert failed.sent_to is None
    lost = replace(settling, keep=False, unsaved=True).requeued()
    assert (lost.stage, lost.keep, lost.queued_at) == (Stage.QUEUED, True, 0.0)
    assert (lost.sent_to, lost.incarnation, lost.unsaved) == (None, Incarnation(), False)
    retried = failed.requeued(10.0)
    assert (retried.stage, retried.queued_at, retried.failed_at) == (Stage.QUEUED, 10.0, None)
    assert retried.info_hash == info_hash(2)


def test_renewals_are_of_this_run_only() -> None:
    """A count of this process says nothing after a restart of our own."""
    job = replace(FULL, incarnation=Incarnation(4, 900.0))
    assert from_record(to_record(job)).incarnation == Incarnation(None, 900.0)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (Incarnation(1), Incarnation(1), True),
        (Incarnation(1), Incarnation(2), False),
        (Incarnation(), Incarnation(), False),
        (Incarnation(), Incarnation(0), False),
        (Incarnation(1, 100.0), Incarnation(2, 100.0), True),
        (Incarnation(1, 100.0), Incarnation(2, 101.0), False),
        (Incarnation(1, 100.0), Incarnation(1, 110.0), False),
        (Incarnation(1, 110.0), Incarnation(1, 100.0), False),
        (Incarnation(1, 100.0), Incarnation(1), False),
        (Incarnation(1), Incarnation(2, 100.0), False),
    ],
)
def test_same_process(first: Incarnation, second: Incarnation, same: bool) -> None:
    assert first.is_same_as(second) is same


def test_printed_form_shows_no_link() -> None:
    assert "canary" in FULL.magnet.link
    assert "canary" not in repr(FULL)
    assert info_hash(1) in repr(FULL)


@pytest.mark.parametrize("name", [None, 5, "", "../../etc/passwd", "AB" * 32, ["ab" * 32]])
def test_what_is_no_name_of_a_file_leaves_the_magnet(name: object) -> None:
    assert from_record(to_record(BARE) | {"file": name}) == BARE


def test_fields_of_a_newer_version_do_not_matter() -> None:
    """So it is with what this version has added, where an older one reads it: its magnet counts."""
    assert from_record(to_record(FULL) | {"of_later": {"a": 1}}) == FULL
