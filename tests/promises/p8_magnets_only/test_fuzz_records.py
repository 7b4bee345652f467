"""Whatever is stored: a job that can be worked with and stored again, or ValueError."""

from copy import replace
import json
from typing import Any

from hypothesis import given, strategies as st

from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.crash import Crash
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.outbox.record import from_record, to_record
from custom_components.qbittorrent_resilient.core.qbittorrent.incarnation import Incarnation
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.support.made_up import FUZZ, links, near_links

numbers = st.floats(0, 4e9)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
options = st.builds(
    AddOptions,
    st.none() | texts,
    st.none() | texts,
    st.none() | st.lists(texts, max_size=3).map(tuple),
    *[st.none() | st.booleans()] * 4,
)
crashes = st.builds(
    Crash,
    texts,
    numbers,
    alone=st.booleans(),
    is_open=st.booleans(),
    crashes=st.integers(0, 10),
    process=st.builds(Incarnation, st.none(), st.none() | numbers),
)
jobs = st.builds(
    Job,
    file=st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex),
    magnet=links().map(lambda one: Magnet.parse(one[0])),
    queued_at=numbers,
    options=options,
    require_vpn=st.booleans(),
    max_retries=st.integers(0, 10),
    keep=st.booleans(),
    stage=st.sampled_from(Stage),
    attempts=st.integers(0, 10**6),
    last_attempt=st.none() | numbers,
    reason=texts,
    sent_to=st.none() | texts,
    sent_at=numbers,
    failed_at=st.none() | numbers,
    incarnation=st.builds(
        Incarnation,
        st.none(),
        st.none() | numbers,
        st.none() | st.tuples(st.integers(0, 10**6), numbers),
    ),
    unsaved=st.booleans(),
    crash=st.none() | crashes,
    losses=st.integers(0, 10**6),
    instances=st.none() | st.lists(texts, max_size=3).map(tuple),
    ordinal=st.none() | st.integers(0, 10**9),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | near_links(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def stored(job: Job) -> Any:
    """Return the record as it comes back from a file."""
    return json.loads(json.dumps(to_record(job)))


def known_again(job: Job) -> Job:
    """Return a job as it is after a restart: renewals of a session belong to one run."""
    return replace(job, incarnation=replace(job.incarnation, renewals=None))


@given(job=jobs)
@FUZZ
def test_comes_back_as_it_was(job: Job) -> None:
    assert from_record(stored(job)) == known_again(job)


@given(job=jobs, data=st.data())
@FUZZ
def test_damaged(job: Job, data: st.DataObject) -> None:
    """Some fields hold something else, or are gone."""
    record = stored(job)
    names = st.sampled_from([*record, *Job._fields, "link", "tags", "launched"])
    for name in data.draw(st.lists(names, min_size=1, max_size=3)):
        if data.draw(st.booleans()):
            record.pop(name, None)
        else:
            record[name] = data.draw(values)
    assert_refused_or_sound(record)


@given(record=values)
@FUZZ
def test_anything(record: Any) -> None:
    assert_refused_or_sound(record)


def assert_refused_or_sound(record: Any) -> None:
    """What is taken for a job is stored as it was read; nothing but ValueError comes out."""
    try:
        job = from_record(record)
    except ValueError:
        return
    assert to_record(from_record(to_record(job))) == to_record(job)
    assert Magnet.read_back(job.magnet.link) == job.magnet
