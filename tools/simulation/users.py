"""What users and their automations do in a world."""

import asyncio
from collections.abc import Awaitable

from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from tests.support.common import info_hash

from .home import Process
from .known import Known, Plan
from .server import Server
from .world import World

MOST_MAGNETS = 12
LINKS = 0.15
"""So many calls give web links that lead to the magnets."""
NAMED = 0.2
"""So many calls name instances."""
_MAY_BE_DELETED = (None, Stage.KEPT.value, Stage.DELIVERED.value)
DELETED_WHEN_OLDER_SECONDS = 900.0
"""A user deletes what has long been delivered; what is deleted beside a restart is ambiguous."""


def give(
    world: World, process: Process, *, behind_vpn: bool | None = None, to: Server | None = None
) -> None:
    """Have an automation add new magnets, and now and then some old ones."""
    rng, now = world.rng, world.loop.time()
    first = len(world.known) + 1
    numbers = list(range(first, first + rng.randint(1, MOST_MAGNETS)))
    if first > 1 and rng.random() < 0.3:
        numbers += rng.sample(range(1, first), min(3, first - 1))
    require_vpn = rng.random() < 0.2 if behind_vpn is None else behind_vpn
    keep = rng.random() < 0.85
    named = _named(world, to)
    instances = tuple(plan.key for plan in named) or None
    only = frozenset(plan.server for plan in named) or None
    for number in numbers:
        key = info_hash(number)
        if (before := world.known.get(key)) is None:
            world.known[key] = Known(now, require_vpn, unkept=not keep, only=only)
        else:
            _given_again(world, key, before)
            before.require_vpn &= require_vpn
            before.unkept |= not keep
            before.only = None if before.only is None or only is None else before.only | only
    world.story(f"magnets {numbers} are given, {keep=}, {require_vpn=}, {instances=}")
    fields = {"require_vpn": require_vpn, "max_retries": rng.randint(0, 3), "instances": instances}
    if rng.random() < LINKS and numbers[-1] >= first:
        _begin(process, process.add_links(*numbers, keep=keep, **fields))
    else:
        _begin(process, process.add(*numbers, keep=keep, **fields))


def _named(world: World, server: Server | None) -> list[Plan]:
    """Return the instances that a call names: those of a server, some, or none."""
    if server is not None:
        return [plan for plan in world.plans if plan.server == server.number]
    if world.rng.random() > NAMED:
        return []
    return world.rng.sample(world.plans, world.rng.randint(1, len(world.plans)))


def _given_again(world: World, key: str, before: Known) -> None:
    """Note that an old magnet may go where nobody who can be asked has it."""
    may_be, before.is_remembered = world.may_know(key)
    before.given, before.may_be_twice = world.loop.time(), True
    if before.is_remembered:
        return
    before.may_be_lost |= may_be and before.removed is not None
    before.removed = before.deleted_in = None
    before.on_disk &= key in world.records


def user_removes(world: World, process: Process) -> None:
    """Have the user empty the queue or the failed list."""
    stage = world.rng.choice([Stage.QUEUED, Stage.FAILED])
    _begin(process, process.remove(stage))


def user_retries(world: World, process: Process) -> None:
    """Have the user put failed magnets back, and deliver the queue now."""
    _begin(process, process.dispatcher.requeue())
    _begin(process, process.dispatcher.retry())


def user_deletes(world: World, process: Process) -> None:
    """Have the user delete an old torrent from a server that is well."""
    now = world.loop.time()
    for server in world.servers:
        if not server.up or now - server.restarted_at < DELETED_WHEN_OLDER_SECONDS:
            continue
        old = [
            one
            for one in server.torrents
            if server.now() - one.added_on > DELETED_WHEN_OLDER_SECONDS
            and world.records.get(one.torrent_id, {}).get("stage") in _MAY_BE_DELETED
            and now - world.known[one.torrent_id].given > DELETED_WHEN_OLDER_SECONDS
            and len(world.places(one.torrent_id)) == 1
            and one.torrent_id not in world.web.waiting
        ]
        if old:
            torrent = world.rng.choice(old)
            world.story(f"the user deletes {torrent.torrent_id[-6:]} from server {server.number}")
            server.torrents.delete([torrent.torrent_id])
            magnet = world.known[torrent.torrent_id]
            magnet.removed = now
            if world.records.get(torrent.torrent_id, {}).get("stage") == Stage.KEPT.value:
                magnet.deleted_in = world.storms
            return


def _begin(process: Process, work: Awaitable[object]) -> None:
    """Do something in the process, which may die of it or meet a full disk."""

    async def guarded() -> None:
        await process.loaded.wait()
        try:
            await work
        except Exception as err:  # noqa: BLE001 - as an automation that goes on
            process.world.story(f"an action fails: {err}")

    asyncio.get_running_loop().create_task(guarded())
