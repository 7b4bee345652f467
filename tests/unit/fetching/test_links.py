"""Web links that are kept: accepted with magnets or not at all, told once, done with once."""

import asyncio
from copy import replace

import pytest

from custom_components.qbittorrent_resilient.core.delivery.outcome import Fate, Outcome
from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.fetching import links as links_module, rounds
from custom_components.qbittorrent_resilient.core.fetching.fetcher import NotNow
from custom_components.qbittorrent_resilient.core.fetching.link_outcome import LinkOutcome
from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.core.outbox.record import to_record
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.support.common import eventually, info_hash
from tests.support.sites import job_of, to_file, to_magnet, web_link
from tests.support.torrents import torrent
from tests.unit.fetching.conftest import LinkHome

LATER = NotNow("HTTP 500")


type Outcomes = tuple[list[Outcome], list[LinkOutcome]]


async def add(
    home: LinkHome, *numbers: int, magnets: tuple[int, ...] = (), keep: bool = True
) -> Outcomes:
    """Add web links, and magnets with them."""
    jobs = [job_of(number, home.clock.now(), keep=keep) for number in numbers]
    return await home.dispatcher.add_with_links(
        home.jobs(*magnets, keep=keep), jobs, wait_for_vpn=0, invalid=0
    )


async def test_delivered_and_done_with(home: LinkHome) -> None:
    home.sites.answers = {1: to_magnet(1), 2: to_file(2)}
    outcomes, found = await add(home, 1, 2, magnets=(3,))
    assert [one.fate for one in outcomes] == [Fate.ADDED]
    assert [(one.found, one.outcome.fate) for one in found] == [(True, Fate.ADDED)] * 2
    assert home.server.hashes == {info_hash(1), torrent(2).info_hash, info_hash(3)}
    assert not home.links.records


async def test_links_that_cannot_be_kept_come_with_no_magnets(home: LinkHome) -> None:
    """The call claims nothing, so nothing of it may be done."""
    home.links.fill_up()
    with pytest.raises(StorageError):
        await add(home, 1, magnets=(1,))
    assert not home.store.records
    assert not home.server.adds
    assert not home.sites.asked
    assert (await add(home, magnets=(1,)))[0][0].fate is Fate.ADDED  # which needs no links


async def test_magnets_that_cannot_be_kept_come_with_no_links(home: LinkHome) -> None:
    home.sites.answers = {1: to_magnet(1), 2: to_magnet(2), 3: to_magnet(3)}
    home.sites.halt()
    await home.dispatcher.links.accept([job_of(2, home.clock.now())])
    failed = job_of(3).failed_with("fetch", 1.0)
    home.links.write({failed.info_hash: to_record(failed)})
    await home.dispatcher.links.start()
    home.store.fill_up()
    before = dict(home.links.records)
    with pytest.raises(StorageError):
        await add(home, 1, 2, 3, magnets=(1,))
    assert home.links.records == before
    home.store.mend()
    home.sites.go_on()
    await eventually(lambda: not home.dispatcher.links.busy)
    assert home.server.hashes == {info_hash(2)}
    assert home.told == [("delivered", ("Torrent 2",), None)]


async def test_failure_is_told_once_however_many_wait(home: LinkHome) -> None:
    home.sites.halt()
    calls = [asyncio.create_task(add(home, 1)) for _ in range(3)]
    await eventually(lambda: home.sites.asked)
    await asyncio.sleep(0.01)
    home.sites.go_on()
    for _, (one,) in await asyncio.gather(*calls):
        assert one.outcome.fate is Fate.FAILED
    assert home.told == [("failed", ("1.torrent",), "not_a_torrent")]


async def test_failure_of_a_fetch_in_the_background_is_told_once(home: LinkHome) -> None:
    home.sites.halt()
    await home.dispatcher.links.accept([job_of(1, home.clock.now())])
    await home.dispatcher.links._look()
    await eventually(lambda: home.sites.asked)
    call = asyncio.create_task(add(home, 1))
    await asyncio.sleep(0.01)
    home.sites.go_on()
    await call
    assert home.sites.asked == [1]
    assert home.told == [("failed", ("1.torrent",), "not_a_torrent")]


async def test_failure_is_told_although_its_caller_went_away(home: LinkHome) -> None:
    home.sites.halt()
    call = asyncio.create_task(add(home, 1))
    await eventually(lambda: home.sites.asked)
    call.cancel()
    await asyncio.wait([call])
    home.sites.go_on()
    await eventually(lambda: home.told)
    assert home.told == [("failed", ("1.torrent",), "not_a_torrent")]
    assert home.link_stages == ["failed"]


async def test_what_the_user_removed_has_not_failed(home: LinkHome) -> None:
    home.sites.halt()
    call = asyncio.create_task(add(home, 1))
    await eventually(lambda: home.sites.asked)
    await home.dispatcher.remove(Stage.QUEUED)
    home.sites.go_on()
    _, (one,) = await call
    assert (one.outcome.fate, one.outcome.reason) == (Fate.FAILED, "removed")
    assert home.told == []


async def test_link_that_can_not_be_read_back(home: LinkHome) -> None:
    """It is not tried again and again, as one that a site refuses is not."""
    job = job_of(1, home.clock.now())
    broken = replace(job, magnet=replace(job.magnet, link=job.magnet.link.partition("&xs=")[0]))
    await home.dispatcher.links.accept([broken])
    await home.dispatcher.links._look()
    await eventually(lambda: home.link_stages == ["failed"])
    assert home.told == [("failed", ("1.torrent",), "fetch_refused")]


async def test_files_of_a_call_whose_links_cannot_be_kept(home: LinkHome) -> None:
    (job,) = home.jobs(1)
    name = await home.dispatcher.torrent_files.put(torrent(1).data)
    home.links.fill_up()
    with pytest.raises(StorageError):
        await home.dispatcher.add_with_links(
            [replace(job, magnet=Magnet.parse(torrent(1).magnet), file=name)],
            [job_of(2, home.clock.now())],
            wait_for_vpn=0,
            invalid=0,
        )
    assert not home.store.folder.files


@pytest.mark.parametrize("keys", [None, {info_hash(1)}, {web_link(1).key}])
async def test_what_was_removed_while_it_was_sent_does_not_come_back(
    home: LinkHome, keys: set[str] | None
) -> None:
    """The user saw a magnet, or still the link: which, left there, leads to it after a kill."""
    home.sites.answers = {1: to_magnet(1)}
    hang = home.server.faults.hang("torrents/info")
    call = asyncio.create_task(add(home, 1))
    await eventually(lambda: home.dispatcher.job(info_hash(1)))
    (removed,) = await home.dispatcher.remove(Stage.QUEUED, keys)
    assert removed.key == info_hash(1)
    assert not home.links.records
    hang.clear()
    await call


async def test_file_of_one_that_was_removed_is_not_left(home: LinkHome) -> None:
    home.sites.answers = {1: to_file(1)}
    put = home.store.torrent_files.put

    async def removed_meanwhile(data: bytes) -> str:
        name = await put(data)
        await home.dispatcher.remove(Stage.QUEUED)
        return name

    home.store.torrent_files.put = removed_meanwhile  # type: ignore[method-assign]
    _, (one,) = await add(home, 1)
    assert one.outcome.reason == "removed"
    assert not home.store.folder.files
    assert not home.store.records


async def test_wishes_that_come_while_it_is_fetched(home: LinkHome) -> None:
    """Those of the last call are what it is added with."""
    home.sites.answers = {1: to_magnet(1)}
    home.sites.halt()
    first = asyncio.create_task(add(home, 1))
    await eventually(lambda: home.sites.asked)
    wish = job_of(1, options=AddOptions(category="new"))
    second = asyncio.create_task(
        home.dispatcher.add_with_links([], [wish], wait_for_vpn=0, invalid=0)
    )
    await asyncio.sleep(0.01)
    home.sites.go_on()
    await asyncio.gather(first, second)
    (received,) = home.server.requests_to("torrents/add")
    assert received.form["category"] == "new"


async def test_two_that_lead_to_the_same(home: LinkHome) -> None:
    home.sites.answers = {1: to_file(1), 2: to_file(1)}
    _, found = await add(home, 1, 2)
    assert sorted(one.outcome.fate for one in found) == [Fate.ADDED, Fate.ALREADY_PRESENT]
    assert len(home.server.adds) == 1
    await eventually(lambda: len(home.store.folder.files) == 1)  # until the server has saved it


async def test_file_that_cannot_be_kept_waits(home: LinkHome) -> None:
    home.sites.answers = {1: to_file(1), 2: to_magnet(2)}
    home.store.folder.error = OSError(28, "No space left on device")
    _, found = await add(home, 1, 2)
    assert [one.outcome.fate for one in found] == [Fate.QUEUED, Fate.ADDED]
    home.store.folder.error = None
    await home.dispatcher.links.retry()
    assert home.server.hashes == {torrent(1).info_hash, info_hash(2)}


async def test_queue_that_cannot_be_written_when_it_was_fetched(home: LinkHome) -> None:
    """The link waits, so that what it leads to is not lost."""
    home.sites.answers = {1: to_file(1)}
    home.store.fill_up()
    _, (one,) = await add(home, 1)
    assert one.outcome.fate is Fate.QUEUED
    assert home.link_stages == ["queued"]
    assert not home.store.folder.files
    home.store.mend()
    await home.dispatcher.links.retry()
    assert home.server.hashes == {torrent(1).info_hash}
    assert not home.links.records


async def test_stopped_while_it_is_delivered(home: LinkHome) -> None:
    """What it led to is in the queue, so the link is done with; the entry may be removed now."""
    home.sites.answers = {1: to_file(1)}
    home.server.faults.delay(5, "torrents/add")
    call = asyncio.create_task(add(home, 1))
    await eventually(lambda: home.server.requests_to("torrents/info"))
    await eventually(lambda: home.dispatcher.links._hand_over.under_way and home.store.records)
    await home.dispatcher.stop()
    await asyncio.wait([call])
    assert not home.links.records
    assert [record["stage"] for record in home.store.records.values()] == ["queued"]
    assert len(home.store.folder.files) == 1


async def test_earlier_life_has_handed_it_over(home: LinkHome) -> None:
    """Many links work once; what it led to is in the queue, so it is done with."""
    job = job_of(1, home.clock.now()).with_intent(info_hash(1), home.clock.now())
    home.links.write({job.info_hash: to_record(job)})
    home.write(*home.jobs(1))
    home.restart()
    await home.dispatcher.start()
    await home.dispatcher.links._look()
    assert not home.sites.asked
    assert not home.links.records
    assert home.queued == [info_hash(1)]


async def test_earlier_life_was_cut_off_before_it_was_accepted(home: LinkHome) -> None:
    home.sites.answers = {1: to_magnet(1)}
    job = job_of(1, home.clock.now()).with_intent(info_hash(1), home.clock.now())
    home.links.write({job.info_hash: to_record(job)})
    home.restart()
    await home.dispatcher.start()
    await home.dispatcher.links._look()
    await eventually(lambda: home.server.hashes)
    assert home.server.hashes == {info_hash(1)}


@pytest.mark.parametrize("handed_over", [True, False])
async def test_earlier_life_was_not_to_queue_it(home: LinkHome, *, handed_over: bool) -> None:
    """It has failed once, as a link or as what that led to."""
    job = job_of(1, home.clock.now(), keep=False)
    if handed_over:
        job = job.with_intent(info_hash(1), home.clock.now())
        home.write(*home.jobs(1, keep=False))
    home.links.write({job.info_hash: to_record(job)})
    home.restart()
    await home.dispatcher.start()
    await home.dispatcher.links._look()
    failed = [one.info_hash for one in home.dispatcher.items(Stage.FAILED)]
    assert failed == [info_hash(1) if handed_over else None]
    assert not home.sites.asked


async def test_handed_over_for_somebody_who_did_not_queue_it(home: LinkHome) -> None:
    """Somebody else had given it to be queued: it is fetched again."""
    home.sites.answers = {1: to_magnet(1)}
    job = job_of(1, home.clock.now()).with_intent(info_hash(1), home.clock.now())
    home.links.write({job.info_hash: to_record(job)})
    home.write(*home.jobs(1, keep=False))
    home.restart()
    await home.dispatcher.start()
    await home.dispatcher.links._look()
    await eventually(lambda: home.server.hashes == {info_hash(1)})


async def test_late_fetch_is_given_up_or_goes_on(
    home: LinkHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "CALL_SECONDS", 0.05)
    home.sites.answers = {1: to_magnet(1), 2: to_magnet(2)}
    home.sites.halt()
    (_, (kept,)), (_, (unkept,)) = await asyncio.gather(add(home, 1), add(home, 2, keep=False))
    assert (kept.outcome.fate, unkept.outcome.fate) == (Fate.QUEUED, Fate.FAILED)
    home.sites.go_on()
    await eventually(lambda: len(home.told) == 3)
    assert [what for what, _, _ in home.told] == ["queued", "failed", "delivered"]
    assert home.server.hashes == {info_hash(1)}


async def test_host_that_wants_to_be_left_alone(home: LinkHome) -> None:
    """None of its links is asked for before that is over, not even by another call."""
    home.sites.answers = {1: NotNow("HTTP 429", 600), 2: to_magnet(2)}
    await add(home, 1)
    _, (second,) = await add(home, 2)
    assert second.outcome.fate is Fate.QUEUED
    elsewhere = job_of(2, host="other.example")
    _, (other,) = await home.dispatcher.add_with_links([], [elsewhere], wait_for_vpn=0, invalid=0)
    assert other.outcome.fate is Fate.ADDED
    home.time.seconds += 599
    await home.dispatcher.links._look()
    await home.dispatcher.links.retry()
    assert home.sites.asked == [1, 2]
    home.sites.answers[1] = to_magnet(1)
    home.time.seconds += 200  # it had been put off once more
    await home.dispatcher.links._look()
    await eventually(lambda: home.server.hashes == {info_hash(1), info_hash(2)})


async def test_look_goes_on_by_itself(home: LinkHome, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that was given to nobody's call, and one that is put back, are fetched soon."""
    monkeypatch.setattr(links_module, "TICK_SECONDS", 1000.0)
    await home.dispatcher.links.accept([job_of(1, home.clock.now())])
    running = asyncio.create_task(home.dispatcher.run())
    await eventually(lambda: home.link_stages == ["failed"])
    home.sites.answers = {1: to_magnet(1)}
    await home.dispatcher.requeue([web_link(1).key])
    await eventually(lambda: home.server.hashes == {info_hash(1)})
    await home.dispatcher.stop()
    await asyncio.wait_for(running, 30)


async def test_waits_longer_each_time_and_expires(home: LinkHome) -> None:
    home.sites.answers = {1: LATER}
    await add(home, 1)
    waits = []
    for _ in range(8):
        begun, count = home.time.now(), len(home.sites.asked)
        while len(home.sites.asked) == count:
            home.time.seconds += 10
            await home.dispatcher.links._look()
            await eventually(lambda: not home.dispatcher.links.busy)
        waits.append(home.time.now() - begun)
    assert all(wait <= 1810 for wait in waits)
    assert home.links.records[web_link(1).key]["attempts"] == 9
    home.time.seconds += 21 * 86_400
    await home.dispatcher.links._look()
    assert home.link_stages == ["failed"]
    assert home.told[-1] == ("failed", ("1.torrent",), "expired")


async def test_nothing_begins_once_it_has_stopped(home: LinkHome) -> None:
    home.sites.halt()
    call = asyncio.create_task(add(home, 1))
    await eventually(lambda: home.sites.asked)
    await home.dispatcher.stop()
    _, (one,) = await call
    assert one.outcome.fate is Fate.QUEUED
    assert home.link_stages == ["queued"]
    with pytest.raises(StorageError):
        await add(home, 2)
    assert home.sites.asked == [1]
