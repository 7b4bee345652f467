"""What is looked at once all is calm: where every magnet is."""

from collections.abc import Iterator

from custom_components.qbittorrent_resilient.core.outbox.job import Stage

from .known import Violation
from .world import World


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
