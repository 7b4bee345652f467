"""Stored values that are of the right type and still cannot be: the next start must not trip."""

import json
import math
from typing import Any

import pytest

from custom_components.qbittorrent_resilient.core.events import DeliveryEvent, EventType
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Job
from custom_components.qbittorrent_resilient.core.outbox.record import from_record, to_record
from tests.support.canaries import NAME, secret_link
from tests.support.common import link

RECORD = to_record(Job(magnet=Magnet.parse(link(1)), queued_at=1.0))
TIMES = ("queued_at", "last_attempt", "sent_at", "failed_at", "launched")


def str_of(value: float) -> str:
    return f"{value}"[:8]


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 10**400, 1e300, -(10**30)], ids=str_of
)
def test_no_time(name: str, value: Any) -> None:
    """It cannot be written to JSON again, or computed with, or shown: unreadable, and kept."""
    with pytest.raises(ValueError, match=r"."):
        from_record(RECORD | {name: value})


@pytest.mark.parametrize("name", ["attempts", "max_retries"])
@pytest.mark.parametrize("value", [-1, -(10**400), 10**400], ids=str_of)
def test_no_count(name: str, value: int) -> None:
    """With -1 retries nothing is ever sent; 2.0 ** -(10 ** 400) is an OverflowError in a pass."""
    with pytest.raises(ValueError, match=r"."):
        from_record(RECORD | {name: value})


def test_as_json_has_it() -> None:
    assert from_record(json.loads(json.dumps(RECORD))) == from_record(RECORD)


def test_news_do_not_print_names() -> None:
    """Names are private: a log line with a News in it must not show them."""
    name = Magnet.parse(secret_link(1)).name
    assert name is not None
    assert NAME in name
    assert NAME not in repr(DeliveryEvent(EventType.ADDED, 1, names=(name,)))
