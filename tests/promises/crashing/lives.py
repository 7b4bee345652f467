"""What a home lives through until it is killed: calls, the worker, the user, the disk."""

import asyncio

import pytest

from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.core.fetching.fetcher import NotNow
from custom_components.qbittorrent_resilient.core.outbox.job import Stage
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.promises.crashing.home import MortalHome
from tests.promises.crashing.world import links_to
from tests.support.common import info_hash
from tests.support.sites import NOT_FOUND, to_magnet, web_link
from tests.support.torrents import torrent


async def add(home: MortalHome) -> None:
    await home.add(1, 2, 3)


async def add_unkept(home: MortalHome) -> None:
    await home.add(1, 2, 3, keep=False)


async def add_and_return(home: MortalHome) -> None:
    await home.add(1, 2, 3)
    await asyncio.sleep(120)
    home.world.primary.heal()
    await asyncio.sleep(60)


async def add_and_return_unfit(home: MortalHome) -> None:
    """The primary answers again, but is not fit for more."""
    await home.add(1, 2, 3)
    home.world.primary.heal()
    home.world.primary.connection_status = "disconnected"
    await asyncio.sleep(120)


async def add_and_lose(home: MortalHome) -> None:
    await home.add(1, 2, 3)
    home.world.primary.power_cut()
    await asyncio.sleep(120)
    home.world.primary.heal()
    await asyncio.sleep(60)


async def add_and_go_on(home: MortalHome) -> None:
    """The primary is silent for so long that what it may have goes to the other one."""
    home.world.was_silent_for_long = True
    await home.add(1, 2, 3)
    await asyncio.sleep(1000)
    home.world.primary.heal()
    await asyncio.sleep(60)


async def add_many(home: MortalHome) -> None:
    await home.add(1, 2, 3, 4, 5)


async def add_unkept_and_return(home: MortalHome) -> None:
    await home.add(1, 2, 3, keep=False)
    await asyncio.sleep(120)
    home.world.primary.heal()
    await asyncio.sleep(60)


async def add_where_it_may_go(home: MortalHome) -> None:
    home.world.only_behind_vpn = {info_hash(1), info_hash(2)}
    await home.add(1, 2, require_vpn=True)
    await home.add(3)


async def add_to_named(home: MortalHome) -> None:
    """The secondary is not there: what only it may get waits, the rest takes turns of its own."""
    world = home.world
    world.only_at = {info_hash(1): world.secondary, info_hash(2): world.primary}
    await home.add(1, instances=("key2",))
    await home.add(2, instances=("key1",))
    await home.add(3, instances=("key2", "key1"))
    await asyncio.sleep(20)
    world.secondary.come()
    await asyncio.sleep(40)


async def wait_for_vpn(home: MortalHome) -> None:
    """Another call takes over what the first one waits with; what it gives up is put back."""
    await asyncio.gather(
        home.add(1, 2, keep=False, wait_for_vpn=60),
        home.add(2, 3, keep=False),
        home.add(4, wait_for_vpn=60),
        home.add_files(5, keep=False, wait_for_vpn=60),
        home.add_files(5, keep=False),
    )
    home.world.primary.come()
    await asyncio.sleep(40)


async def wait_for_the_slow(home: MortalHome) -> None:
    """A call does not wait for the primary, the queue does; then all is cut off."""
    home.world.only_behind_vpn = {info_hash(1)}
    await home.add(1, require_vpn=True)
    await asyncio.sleep(60)
    task = asyncio.create_task(home.add(2))
    await asyncio.sleep(2)
    await home.dispatcher.stop()
    await task


async def crash(home: MortalHome) -> None:
    """The second one crashes the primary, which is back soon."""
    await home.add(1, 2, 3)
    await asyncio.sleep(60)


async def drain(home: MortalHome) -> None:
    await home.add(1, 2, 3)
    home.world.primary.come()
    await asyncio.sleep(40)


async def go_on(home: MortalHome) -> None:
    """Do what an earlier life has left to do."""
    await asyncio.sleep(40)


async def add_and_come_back(home: MortalHome) -> None:
    """The primary is back while the secondary is still asked what it has."""
    task = asyncio.create_task(home.add(1, 2, 3))
    await asyncio.sleep(3)
    home.world.primary.come()
    await home.check()
    await task
    await asyncio.sleep(5)


async def settle(home: MortalHome) -> None:
    await home.add(1, 2, 3)
    await asyncio.sleep(70)


async def lose(home: MortalHome) -> None:
    await home.add(1, 2, 3)
    await asyncio.sleep(5)
    home.world.primary.power_cut()
    await asyncio.sleep(100)


async def fail_and_retry(home: MortalHome) -> None:
    await home.add(1, 2, 3, 4, 5)
    home.world.primary.torrents.never_listed = set()
    await home.retry_failed(2, 3, 4)
    await home.remove(Stage.FAILED, 5)
    await home.dispatcher.retry()
    await asyncio.sleep(5)


async def remove(home: MortalHome) -> None:
    await home.add(1, 2, 3)
    await home.remove(Stage.QUEUED, 2)
    home.world.primary.come()
    await home.dispatcher.retry()
    await asyncio.sleep(5)


async def overlap(home: MortalHome) -> None:
    await asyncio.gather(home.add(1, 2), home.add(2, 3), home.add(3, 1, keep=False))
    await home.add(2)


async def wish_anew(home: MortalHome) -> None:
    """A magnet is given again, with another category, while it waits for its request."""
    task = asyncio.create_task(home.add(1, 2, 3, 4))
    while not home.world.primary.adds:
        await asyncio.sleep(0.003)
    await home.add(3, options=AddOptions(category="other"))
    await task


async def stop(home: MortalHome) -> None:
    task = asyncio.create_task(home.add(1, 2, 3))
    while not home.world.primary.adds:
        await asyncio.sleep(0.003)
    await home.dispatcher.stop()
    await task


async def fill_the_disk(home: MortalHome) -> None:
    task = asyncio.create_task(home.add(1, 2, 3))
    while home.world.writes < 1:
        await asyncio.sleep(0.003)
    home.world.full = True
    await task
    with pytest.raises(StorageError):
        await home.add(4)
    home.world.full = False
    await home.add(5)


async def add_files(home: MortalHome) -> None:
    await home.add_files(1, 2, 3)


async def add_files_unkept(home: MortalHome) -> None:
    await home.add_files(1, 2, 3, keep=False)


async def lose_files(home: MortalHome) -> None:
    await home.add_files(1, 2, 3)
    await asyncio.sleep(5)
    home.world.primary.power_cut()
    await asyncio.sleep(100)


async def drain_files(home: MortalHome) -> None:
    """Beside their own magnets; one of them is removed."""
    await home.add_magnets_of_files(1, 2)
    await home.add_files(1, 3)
    await home.add_magnets_of_files(3)
    home.world.removing.add(torrent(3).info_hash)
    await home.dispatcher.remove(Stage.QUEUED, {torrent(3).info_hash})
    home.world.primary.come()
    await asyncio.sleep(100)


async def fill_the_disk_with_files(home: MortalHome) -> None:
    await home.add_files(1)
    home.world.full = True
    with pytest.raises(StorageError):
        await home.add_files(2)
    home.world.full = False
    await home.dispatcher.release([await home.store.torrent_files.put(torrent(4).data)])
    await home.add_files(3)


async def add_links(home: MortalHome) -> None:
    """To magnets and files, with a magnet beside them."""
    await home.add_links(1, 12, 13, magnets=(4,))


async def add_links_again(home: MortalHome) -> None:
    await home.add_links(1, 12)
    await home.add_links(1, 12, 13)


async def add_links_and_wait(home: MortalHome) -> None:
    await home.add_links(1, 2, 12, 13)
    await asyncio.sleep(200)


async def add_links_unkept(home: MortalHome) -> None:
    await home.add_links(1, 2, 12, 13, magnets=(4,), keep=False)
    await asyncio.sleep(60)


async def drain_links(home: MortalHome) -> None:
    """What they lead to waits for a server, beside its own magnet; one of them is removed."""
    await asyncio.gather(home.add_links(1, 12), home.add_links(1, 3), home.add(1))
    home.world.removing |= {info_hash(3), *links_to(info_hash(3))}
    await home.dispatcher.remove(Stage.QUEUED, {info_hash(3)})
    home.world.primary.come()
    await asyncio.sleep(40)


async def drain_links_alone(home: MortalHome) -> None:
    await home.add_links(1, 12, 3)
    home.world.primary.come()
    await asyncio.sleep(40)


async def retry_links(home: MortalHome) -> None:
    """One that failed is tried again, another one is removed, and so is one that waits."""
    home.world.web.answers |= {1: NOT_FOUND, 12: NOT_FOUND, 3: NotNow("no answer")}
    await home.add_links(1, 12, 3)
    home.world.web.answers[1] = to_magnet(1)
    await home.retry_links(1)
    await home.dispatcher.links.retry()
    await home.remove_links(Stage.FAILED, 12)
    await home.remove_links(Stage.QUEUED, 3)
    await asyncio.sleep(5)


async def add_links_and_stop(home: MortalHome) -> None:
    task = asyncio.create_task(home.add_links(1, 2, 12))
    await asyncio.sleep(1)
    await home.dispatcher.stop()
    await task


async def add_links_and_stop_soon(home: MortalHome) -> None:
    """What was fetched is kept already, but not handed over."""
    home.world.folder.written = lambda: asyncio.create_task(home.dispatcher.stop())
    await home.add_links(12, 1)


async def add_links_and_stop_in_the_middle(home: MortalHome) -> None:
    """What was fetched is being delivered."""
    task = asyncio.create_task(home.add_links(1, 12))
    while not home.world.primary.adds:
        await asyncio.sleep(0.003)
    await home.dispatcher.stop()
    await task


async def add_links_and_remove_soon(home: MortalHome) -> None:
    """What was fetched is kept already, but not handed over."""
    remove = home.remove_links
    home.world.folder.written = lambda: asyncio.create_task(remove(Stage.QUEUED, 12))
    await home.add_links(12, 1)


async def add_links_and_remove_in_the_middle(home: MortalHome) -> None:
    """What one leads to is looked for on the servers."""
    task = asyncio.create_task(home.add_links(1, 3))
    while not any(job.info_hash == info_hash(3) for job in home.dispatcher.jobs(Stage.QUEUED)):
        await asyncio.sleep(0.003)
    home.world.removing |= links_to(info_hash(3))
    await home.remove(Stage.QUEUED, 3)
    home.world.primary.come()
    await task
    await asyncio.sleep(40)


async def fill_the_disk_for_the_queue(home: MortalHome) -> None:
    """A magnet cannot be accepted, so the links of its call are not, but for one that waits."""
    home.world.web.answers[2] = NotNow("no answer")
    await home.add_links(2)
    home.world.queue_is_full = True
    home.world.removing.add(web_link(3).key)  # nobody may miss what no call has claimed
    with pytest.raises(StorageError):
        await home.add_links(2, 3, magnets=(4,))
    home.world.queue_is_full = False
    home.world.web.answers[2] = to_magnet(2)
    await asyncio.sleep(60)


async def fill_the_disk_with_links(home: MortalHome) -> None:
    """While one is fetched, and before another one, with a magnet and a file, is accepted."""
    home.world.web.seconds = {1: 1.0, 12: 1.0}
    task = asyncio.create_task(home.add_links(1, 12))
    await asyncio.sleep(0.5)
    home.world.full = True
    await task
    with pytest.raises(StorageError):
        await home.add_links(3, magnets=(4,), files=(5,))
    home.world.full = False
    await asyncio.sleep(60)
    await home.add_links(5)


async def add_files_again(home: MortalHome) -> None:
    """They are remembered."""
    await home.add_files(1, 2)
    await asyncio.sleep(100)
    await home.add_files(1, 2, 3)
