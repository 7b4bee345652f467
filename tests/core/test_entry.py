"""Entries: their stages, and what is stored of them."""

from copy import replace
import json
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.entry import (
    Entry,
    Mark,
    Stage,
    from_record,
    to_record,
)
from custom_components.qbittorrent_resilient.core.magnet import MAX_MAGNET_BYTES, Magnet
from custom_components.qbittorrent_resilient.core.models import AddOptions
from tests.common import info_hash, link

FULL = Entry(
    magnet=Magnet.parse(link(1, extra="&tr=http%3A%2F%2Fcanary.example")),
    queued_at=1000.5,
    options=AddOptions(category="films", save_path="/data", tags=("a", "b"), stopped=False),
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
    mark=Mark(launched=900.0),
    unsaved=True,
    suspects=("other", "third"),
)
BARE = Entry(magnet=Magnet.parse(link(2)), queued_at=0.0)


@pytest.mark.parametrize(
    "entry",
    [
        FULL,
        BARE,
        replace(BARE, options=AddOptions(category="", save_path="", tags=(), stopped=True)),
        *(replace(FULL, stage=stage) for stage in Stage),
    ],
)
def test_stored_and_read_back(entry: Entry) -> None:
    assert from_record(json.loads(json.dumps(to_record(entry)))) == entry


def test_defaults_are_not_stored() -> None:
    assert to_record(BARE) == {"link": BARE.magnet.link, "stage": "queued", "queued_at": 0.0}


@pytest.mark.parametrize("fill", ["x", "ä", " ", "\N{GRINNING FACE}"])
def test_longest_link_is_read_back(fill: str) -> None:
    """Percent-encoded, it is longer than what may be given."""
    start = link(1)
    text = start + fill * ((MAX_MAGNET_BYTES - len(start) - 1) // len(fill.encode())) + "."
    entry = Entry(magnet=Magnet.parse(text), queued_at=1.0)
    assert from_record(to_record(entry)) == entry


@pytest.mark.parametrize(
    "change",
    [
        {"link": "magnet:?xt=urn:btih:canary"},
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
        {"category": 1},
        {"stopped": 1},
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


def test_ways_of_an_entry() -> None:
    sent = BARE.sent("key", 5.0)
    assert (sent.stage, sent.sent_to, sent.sent_at) == (Stage.QUEUED, "key", 5.0)
    assert sent.not_there() == BARE
    tried = BARE.tried("timeout", 6.0).tried("error", 7.0)
    assert (tried.reason, tried.attempts, tried.last_attempt) == ("error", 2, 7.0)
    settling = replace(tried, unsaved=True).settling("other", 8.0, Mark(4, 2.0))
    assert (settling.stage, settling.sent_to, settling.sent_at) == (Stage.SETTLING, "other", 8.0)
    assert (settling.mark, settling.unsaved) == (Mark(4, 2.0), False)
    failed = sent.failed("expired", 9.0)
    assert (failed.stage, failed.reason, failed.failed_at) == (Stage.FAILED, "expired", 9.0)
    assert failed.sent_to is None
    lost = replace(settling, keep=False, unsaved=True).again()
    assert (lost.stage, lost.keep, lost.queued_at) == (Stage.QUEUED, True, 0.0)
    assert (lost.sent_to, lost.mark, lost.unsaved) == (None, Mark(), False)
    retried = failed.again(10.0)
    assert (retried.stage, retried.queued_at, retried.failed_at) == (Stage.QUEUED, 10.0, None)
    assert retried.info_hash == info_hash(2)


def test_renewals_are_of_this_run_only() -> None:
    """A count of this process says nothing after a restart of our own."""
    entry = replace(FULL, mark=Mark(4, 900.0))
    assert from_record(to_record(entry)).mark == Mark(None, 900.0)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (Mark(1), Mark(1), True),
        (Mark(1), Mark(2), False),
        (Mark(), Mark(), False),
        (Mark(), Mark(0), False),
        (Mark(1, 100.0), Mark(2, 100.0), True),
        (Mark(1, 100.0), Mark(2, 101.0), False),
        (Mark(1, 100.0), Mark(1, 110.0), False),
        (Mark(1, 110.0), Mark(1, 100.0), False),
        (Mark(1, 100.0), Mark(1), True),
        (Mark(1), Mark(2, 100.0), False),
    ],
)
def test_same_process(first: Mark, second: Mark, same: bool) -> None:
    assert first.same_process(second) is same


def test_printed_form_shows_no_link() -> None:
    assert "canary" in FULL.magnet.link
    assert "canary" not in repr(FULL)
    assert info_hash(1) in repr(FULL)
