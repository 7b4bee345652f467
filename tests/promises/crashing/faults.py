"""What is wrong with servers, VPN and disk when a life begins, and after it was ended."""

from copy import replace

from custom_components.qbittorrent_resilient.core.fetching.fetcher import NotNow
from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.outbox.record import to_record
from custom_components.qbittorrent_resilient.core.qbittorrent.incarnation import Incarnation
from tests.promises.crashing.world import EPOCH, World
from tests.support.common import info_hash
from tests.support.core import magnets
from tests.support.fake.record import Received
from tests.support.sites import NOT_FOUND, job_of


def down(world: World) -> None:
    for server in world.servers:
        server.go()


def secondary_down(world: World) -> None:
    world.secondary.go()


def primary_down(world: World) -> None:
    world.primary.go()


def refused(world: World) -> None:
    world.primary.faults.answer(500, "no", endpoint="torrents/add")


def odd_list(world: World) -> None:
    world.primary.faults.answer(502, "no", endpoint="torrents/info")


def odd_list_in_passing(world: World) -> None:
    world.primary.faults.answer(502, "no", endpoint="torrents/info", times=5)


def refused_in_part(world: World) -> None:
    world.primary.faults.answer(500, "no", endpoint="torrents/add", times=5)


def primary_down_secondary_hangs(world: World) -> None:
    world.primary.go()
    world.secondary.faults.hang("torrents/info", times=1)


def answer_cut(world: World) -> None:
    world.primary.faults.cut("torrents/add", after=True, times=1)


def late_answer(world: World) -> None:
    world.primary.faults.hang("torrents/add", after=True, times=1)


def gone_after_the_add(world: World) -> None:
    def look(received: Received) -> None:
        if received.endpoint == "torrents/add":
            world.primary.go()

    world.primary.after = look


def crashes_at_the_second(world: World) -> None:
    def look(received: Received) -> None:
        if info_hash(2) in received.form.get("urls", ""):
            world.primary.power_cut()
            world.primary.go()
            world.loop.call_later(2, world.primary.restart_and_come)

    world.primary.after = look


def present(world: World) -> None:
    world.primary.has(1)
    world.secondary.has(2)


def never_listed(world: World) -> None:
    world.primary.torrents.never_listed = {info_hash(number) for number in range(2, 6)}


def earlier_life(world: World) -> None:
    """What was cut off: queued, sent perhaps, delivered, failed, and expired meanwhile."""
    now = EPOCH + world.loop.time()
    one, two, three, four, five, six = (
        Job(magnet=magnet, queued_at=now - 100) for magnet in magnets(1, 2, 3, 4, 5, 6)
    )
    jobs = [
        one,
        two.with_intent("key1", now - 5),
        three.delivered_to("key1", now - 5, Incarnation()),
        four.failed_with("rejected", now - 5),
        replace(five, queued_at=now - 30 * 86_400),
        replace(six, queued_at=now - 30 * 86_400),
    ]
    world.primary.has(3)
    world.write({job.info_hash: to_record(job) for job in jobs}, ())


def carried_out_late(world: World) -> None:
    """What an earlier life sent to a frozen server is not there at the first look."""
    now = EPOCH + world.loop.time()
    jobs = [Job(magnet=magnet, queued_at=now - 100) for magnet in magnets(1, 2, 3)]
    sent = [job.with_intent("key1", now - 5) for job in jobs]
    world.write({job.info_hash: to_record(job) for job in sent}, ())

    def wake_up(received: Received) -> None:
        if received.endpoint == "torrents/info":
            world.primary.after = lambda received: None
            for number in (1, 2, 3):
                world.primary.has(number)

    world.primary.after = wake_up


def kept(world: World) -> None:
    """Nobody knows whether what an earlier life delivered was saved; one is not listed any more."""
    now = EPOCH + world.loop.time()
    jobs = [
        replace(
            job.delivered_to("key1", now - 100, Incarnation(launched=1.0)),
            stage=Stage.KEPT,
            unsaved=True,
        )
        for job in (Job(magnet=magnet, queued_at=now - 100) for magnet in magnets(1, 2, 3))
    ]
    world.primary.has(1)
    world.primary.has(3)
    world.write({job.info_hash: to_record(job) for job in jobs}, ())


def left_over_file(world: World) -> None:
    """An earlier life has put a file, and was killed before a job referred to it."""
    earlier_life(world)
    world.folder.files["ab" * 32] = b"left over"


def vpn(world: World) -> None:
    world.behind_vpn = world.secondary


def slow(world: World) -> None:
    world.behind_vpn = world.primary
    world.primary.faults.delay(8)


def vpn_and_all_down(world: World) -> None:
    vpn(world)
    world.vpn_is_late = True
    down(world)


def alive(world: World) -> None:
    """Leave the servers as they are."""


def power_cut(world: World) -> None:
    for server in world.servers:
        server.power_cut()


def away(world: World) -> None:
    world.primary.go()
    world.primary_was_away = True
    world.loop.call_later(300, world.primary.come)


def away_and_lost(world: World) -> None:
    away(world)
    world.primary.power_cut()


def site_away(world: World) -> None:
    """One site does not answer for a while, another one never gives what it should."""
    answers = world.web.answers
    world.loop.call_later(50, answers.__setitem__, 2, answers[2])
    answers[2] = NotNow("no answer")
    answers[13] = NOT_FOUND


def site_wants_to_be_left_alone(world: World) -> None:
    answers = world.web.answers
    world.loop.call_later(50, answers.__setitem__, 2, answers[2])
    answers[2] = NotNow("HTTP 429", 100)


def site_is_slow(world: World) -> None:
    """It takes longer than a call waits."""
    world.web.seconds = {2: 60.0}


def links_work_once(world: World) -> None:
    world.web.once = True


def links_work_once_and_all_down(world: World) -> None:
    links_work_once(world)
    down(world)


def earlier_links(world: World) -> None:
    """What was cut off: waiting, handed over and accepted, handed over only, not to be queued."""
    now = EPOCH + world.loop.time()
    links = [
        job_of(1, now),
        job_of(2, now).with_intent(info_hash(2), now),
        job_of(3, now).with_intent(info_hash(3), now),
        job_of(14, now, keep=False),
        job_of(15, now).failed_with("not_a_torrent", now),
    ]
    world.web.answers[2] = NOT_FOUND  # it has worked once
    queued = [Job(magnet=magnet, queued_at=now) for magnet in magnets(2)]
    world.write({job.info_hash: to_record(job) for job in queued}, ())
    world.write_links({job.info_hash: to_record(job) for job in links}, ())


def remembering(world: World) -> None:
    world.remember_seconds = 86_400.0
