"""Requests: how many magnets each has, and that none gets lost between them."""

import pytest

from custom_components.qbittorrent_resilient.core.delivery import batches as module
from custom_components.qbittorrent_resilient.core.delivery.batches import Batches
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Job
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.support.common import link


def jobs(count: int, **fields: object) -> list[Job]:
    parsed = (Magnet.parse(link(number)) for number in range(1, count + 1))
    return [Job(magnet=one, queued_at=0.0, **fields) for one in parsed]  # type: ignore[arg-type]


def sizes(given: list[Job], *paces: tuple[float, bool]) -> list[int]:
    """Return the sizes of the requests where the first ones go like that, the others well."""
    pace = iter(paces)
    portions, found = Batches(given), []
    for portion in portions:
        found.append(portion)
        seconds, worked = next(pace, (0.0, True))
        portions.took(seconds, worked=worked)
    assert [one for portion in found for one in portion] == given
    return [len(portion) for portion in found]


@pytest.mark.parametrize(
    ("number", "paces", "expected"),
    [
        (0, [], []),
        (1, [], [1]),
        (100, [], [100]),
        (101, [], [100, 1]),
        (1000, [], [100, 200, 400, 300]),
        (2000, [], [100, 200, 400, 400, 400, 400, 100]),
        (600, [(1.5, True)], [100, 100, 200, 200]),
        (600, [(0.1, True), (0.1, False)], [100, 200, 100, 200]),
        (300, [(9.0, True), (9.0, True), (9.0, True)], [100, 100, 100]),
    ],
)
def test_larger_while_the_server_is_quick(
    number: int, paces: list[tuple[float, bool]], expected: list[int]
) -> None:
    assert sizes(jobs(number), *paces) == expected


def test_one_set_of_wishes_each() -> None:
    mixed = jobs(4)
    mixed[1:2] = [Job(magnet=mixed[1].magnet, queued_at=0.0, options=AddOptions(stopped=True))]
    mixed[3:4] = [Job(magnet=mixed[3].magnet, queued_at=0.0, max_retries=9)]
    found = list(Batches(mixed))
    assert [[mixed.index(one) for one in portion] for portion in found] == [[0, 2], [1], [3]]


def test_by_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is longer than a request may be goes alone."""
    monkeypatch.setattr(module, "ADD_CHARACTERS", 1000)
    lengths = [1500, 300, 700, 90, 1500, 400, 400, 400]
    base = len(link(1, name="x")) - 1
    given = [
        Job(magnet=Magnet.parse(link(1, name="x" * (length - base))), queued_at=0.0)
        for length in lengths
    ]
    assert [len(one.magnet.link) for one in given] == lengths
    assert sizes(given) == [1, 2, 1, 1, 2, 1]
