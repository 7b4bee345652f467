"""Whatever is stored: an entry that can be worked with and stored again, or ValueError."""

from copy import replace
import json
from typing import Any

from hypothesis import given, strategies as st

from custom_components.qbittorrent_resilient.core.entry import (
    Entry,
    Mark,
    Stage,
    from_record,
    to_record,
)
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.models import AddOptions
from tests.core.made_up import FUZZ, links, near_links

numbers = st.floats(0, 4e9)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
options = st.builds(
    AddOptions,
    st.none() | texts,
    st.none() | texts,
    st.none() | st.lists(texts, max_size=3).map(tuple),
    st.none() | st.booleans(),
)
entries = st.builds(
    Entry,
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
    mark=st.builds(Mark, st.none(), st.none() | numbers),
    unsaved=st.booleans(),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | near_links(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def stored(entry: Entry) -> Any:
    """Return the record as it comes back from a file."""
    return json.loads(json.dumps(to_record(entry)))


def known_again(entry: Entry) -> Entry:
    """Return an entry as it is after a restart: renewals of a session belong to one run."""
    return replace(entry, mark=replace(entry.mark, renewals=None))


@given(entry=entries)
@FUZZ
def test_comes_back_as_it_was(entry: Entry) -> None:
    assert from_record(stored(entry)) == known_again(entry)


@given(entry=entries, data=st.data())
@FUZZ
def test_damaged(entry: Entry, data: st.DataObject) -> None:
    """Some fields hold something else, or are gone."""
    record = stored(entry)
    names = st.sampled_from([*record, *Entry._fields, "link", "tags", "launched"])
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
    """What is taken for an entry is stored as it was read; nothing but ValueError comes out."""
    try:
        entry = from_record(record)
    except ValueError:
        return
    assert to_record(from_record(to_record(entry))) == to_record(entry)
    assert Magnet.read_back(entry.magnet.link) == entry.magnet
