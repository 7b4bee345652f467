"""What is looked at: each add as a server gets it, and where every magnet is once all is calm."""

from collections.abc import Collection, Iterator
import re
from typing import TYPE_CHECKING

from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from tests.promises.crashing.world import EPOCH

from .known import Violation

if TYPE_CHECKING:
    from .server import Server
    from .world import World

GATE_SECONDS = 3.2 + 0.5
"""A round this old may still let an add go out; half a second of it is the way to the server."""
LOOK_SECONDS = 5.0 + 0.5
"""A look this old may still let an add go out."""
MOVE_SECONDS = 5.5
"""A server was found out to be the right one this long ago at most when magnets are sent there."""
WAIT_SECONDS = 850.0
"""What a server may have goes to no other one for 15 min."""
_MAGNET = re.compile(r"magnet:\?xt=urn:btih:([0-9a-f]{40})(?:&[!-~]+)?")
"""What may reach a server: one line of plain ASCII with a hex topic in front (promise 8)."""


def judge_add(world: World, server: Server, asked: str, lines: Collection[str]) -> set[str]:
    """Check an add at the moment that a server gets it; return what it will carry out."""
    now = world.loop.time()
    magnets = [_MAGNET.fullmatch(line) for line in lines]
    hashes = {magnet[1] for magnet in magnets if magnet} & world.known.keys()
    names = sorted(key[-6:] for key in hashes)
    world.story(f"server {server.number} is sent {', '.join(names) or 'nothing known'}")
    if len(hashes) < len(lines):
        world.violate(f"sent to server {server.number} what nobody gave: {lines}")
    if server.number not in {plan.server for plan in world.plans if plan.host == asked}:
        if now - server.moved_at > MOVE_SECONDS:
            world.violate(f"sent to server {server.number} instead of {asked}: {names}")
        return set()  # it knows of no such session, and carries nothing out
    behind = world.requires_vpn(server)
    if behind and not world.vpn_up and now - world.vpn_changed > GATE_SECONDS:
        world.violate(f"sent to server {server.number} while the VPN was down: {names}")
    since = server.leaks_since
    if behind and since is not None and now - since > LOOK_SECONDS:
        world.violate(f"sent to server {server.number} while it leaks: {names}")
    for key in hashes:
        magnet = world.known[key]
        if magnet.only is not None and server.number not in magnet.only:
            world.violate(f"{key[-6:]} went to server {server.number}, which nobody named")
        if magnet.is_remembered:
            world.violate(f"{key[-6:]} is sent again, though its delivery is remembered")
        if magnet.require_vpn and not behind:
            world.violate(f"{key[-6:]} went round the VPN, to server {server.number}")
        if magnet.removed is not None and now - magnet.removed > 1:
            world.violate(f"{key[-6:]} is sent again, though the user deleted it")
        if not magnet.may_be_twice and (other := _has_it(world, key, server)):
            world.violate(f"{key[-6:]} is sent elsewhere, though server {other} got it just now")
    return hashes


def _has_it(world: World, key: str, but: Server) -> int | None:
    """Return the number of another server that got a magnet a moment ago, and has it, or will.

    None if a change of the settings or of the clock lies in between, or the server did not
    list it at once: then it may have been asked, and have said no.
    """
    for plan in world.plans:
        server = world.servers[plan.server]
        torrent = server.torrents.find(key)
        if server is but:
            continue
        if server.holds(key, max(world.changed_at, world.loop.time() - WAIT_SECONDS)):
            return server.number
        if torrent is None or torrent.visible_at > torrent.added_on:
            continue
        got = min(torrent.added_on - EPOCH, server.sent_at.get(key, world.loop.time()))
        if got > world.changed_at and world.loop.time() - got < WAIT_SECONDS:
            return server.number
    return None


def judge(world: World) -> None:
    """Raise Violation if a magnet is not where it should be, while all is calm."""
    world.raise_if_broken()
    if problem := wrong(world):
        raise Violation(problem)


def wrong(world: World) -> str | None:
    """Return what is wrong with the first magnet that is not where it should be."""
    return next(_wrongs(world), None)


def _wrongs(world: World) -> Iterator[str]:
    places: dict[str, list[int]] = {}
    for server in world.servers:
        for key in server.hashes:
            places.setdefault(key, []).append(server.number)
    waiting = world.web.waiting
    for key, magnet in world.known.items():
        servers = places.get(key, [])
        stage = world.records.get(key, {}).get("stage")
        if len(servers) > 1 and not (magnet.said or magnet.may_be_twice):
            yield f"{key[-6:]} is on servers {servers}, and nobody says so"
        is_kept = stage in (Stage.FAILED.value, Stage.QUEUED.value) or key in waiting
        if not servers and not is_kept and magnet.must_be_somewhere:
            yield f"{key[-6:]} was accepted and is nowhere (stage {stage})"
