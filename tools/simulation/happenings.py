"""What can happen in a world: to servers, the VPN, the disk and the clocks."""

from functools import partial

from tests.support.common import info_hash

from .home import Process
from .server import Server
from .users import give, user_deletes, user_removes, user_retries
from .world import Happening, World

JUMPS = (-200_000.0, -86_400.0, -3600.0, -60.0, 60.0, 3600.0, 86_400.0, 200_000.0)
"""By how many seconds clocks are set."""
CUT_LATER_SECONDS = (30.0, 200.0, 1000.0)
"""A server whose disk is full is restarted so long after that: it may be free again by then."""


def vpn_flaps(world: World, process: Process) -> None:
    """Take the VPN down or up."""
    world.set_vpn(up=not world.vpn_up)


def server_goes(world: World, process: Process) -> None:
    """Have a server vanish from the network, or come back."""
    server = world.rng.choice(world.servers)
    world.story(f"server {server.number} {'goes' if server.up else 'comes'}")
    if server.up:
        server.go()
    else:
        server.come()


def power_cut(world: World, process: Process) -> None:
    """Restart a server; what it had no time to save is gone."""
    cut_power(world.rng.choice(world.servers), world, process)


def cut_power(server: Server, world: World, process: Process) -> None:
    """Restart this server."""
    world.story(f"server {server.number} loses its power")
    server.power_cut()


def hangs(world: World, process: Process) -> None:
    """Have a server never answer, before or after it does what it is asked."""
    server, after = world.rng.choice(world.servers), world.rng.random() < 0.5
    endpoint = world.rng.choice([None, "torrents/add", "torrents/info"])
    world.story(f"server {server.number} hangs at {endpoint} {after=}")
    server.faults.hang(endpoint, times=world.rng.choice([1, 2, 5, None]), after=after)


def freezes(world: World, process: Process) -> None:
    """Have a server stop as it stands, now or with the next add; or go on."""
    server = world.rng.choice(world.servers)
    if server.is_frozen or server.freezes_at_add:
        server.go_on()
    elif world.rng.random() < 0.7:
        world.story(f"server {server.number} freezes at the next add")
        server.freezes_at_add = True
        world.agenda.append(give)
    else:
        server.freeze()


def cuts(world: World, process: Process) -> None:
    """Have a server cut connections, before or after it does what it is asked."""
    server, after = world.rng.choice(world.servers), world.rng.random() < 0.5
    world.story(f"server {server.number} cuts connections {after=}")
    server.faults.cut("torrents/add", times=world.rng.randint(1, 4), after=after)


def lies(world: World, process: Process) -> None:
    """Have a proxy answer for a server, or a server list late."""
    server = world.rng.choice(world.servers)
    if world.rng.random() < 0.5:
        world.story(f"a proxy answers 502 for server {server.number}")
        server.faults.answer(502, "Bad gateway", times=world.rng.randint(1, 10), after=True)
    else:
        world.story(f"server {server.number} lists late")
        server.torrents.list_delay = world.rng.choice([0.5, 2, 5])


def bans(world: World, process: Process) -> None:
    """Have a server ban us."""
    server = world.rng.choice(world.servers)
    world.story(f"server {server.number} bans us")
    server.ban()
    server.expire_sessions()


def sessions_end(world: World, process: Process) -> None:
    """Have a server forget all sessions, though it was not restarted."""
    world.rng.choice(world.servers).expire_sessions()


def disconnected(world: World, process: Process) -> None:
    """Have a server lose its interface, or find it."""
    server = world.rng.choice(world.servers)
    words = {"connected": "disconnected", "disconnected": "connected"}
    server.connection_status = words[server.connection_status]
    world.story(f"server {server.number} is {server.connection_status}")


def disk_of_server(world: World, process: Process) -> None:
    """Fill a server's disk, or free it."""
    server = world.rng.choice(world.servers)
    world.story(f"the disk of server {server.number}: full is {not server.disk_full}")
    server.full_disk(full=not server.disk_full)
    if server.disk_full and world.rng.random() < 0.7:
        give(world, process, to=server)
        later = world.rng.choice(CUT_LATER_SECONDS)
        world.loop.call_later(later, cut_power, server, world, process)


def leaks(world: World, process: Process) -> None:
    """Have a server leak, or be bound again."""
    server = world.rng.choice(world.servers)
    world.story(f"server {server.number} {'leaks' if server.leaks_since is None else 'is bound'}")
    if server.leaks_since is None:
        server.leak()
        if world.requires_vpn(server):
            world.agenda.append(partial(give, behind_vpn=True, to=server))
    else:
        server.bind()


def crashing_magnet(world: World, process: Process) -> None:
    """Give magnets of which one crashes a server each time that it is sent it."""
    server = world.rng.choice(world.servers)
    number = len(world.known) + 1
    give(world, process)
    world.story(f"server {server.number} crashes on {info_hash(number)[-6:]}")
    server.crashes_on.add(info_hash(number))


def own_disk(world: World, process: Process) -> None:
    """Fill Home Assistant's own disk, or free it."""
    world.disk_fails = not world.disk_fails
    world.story(f"Home Assistant's disk: full is {world.disk_fails}")


def site_down(world: World, process: Process) -> None:
    """Have the site that links lead to go down, or come back."""
    world.web.is_down = not world.web.is_down
    world.story(f"the site is down: {world.web.is_down}")


def clock_jumps(world: World, process: Process | None) -> None:
    """Set Home Assistant's wall clock."""
    by = world.rng.choice(JUMPS)
    world.story(f"the wall clock is set by {by:.0f} s")
    world.clock_offset += by
    world.changed_at = world.loop.time()


def clock_of_server(world: World, process: Process) -> None:
    """Set the clock of a server."""
    server, by = world.rng.choice(world.servers), world.rng.choice(JUMPS)
    world.story(f"the clock of server {server.number} is set by {by:.0f} s")
    server.clock_offset += by


def moves(world: World, process: Process) -> None:
    """Give a server the address of another, which gets its own, or one that nobody has."""
    if not world.servers_move:
        return
    server, other = world.rng.choice(world.servers), world.rng.choice(world.servers)
    before = server.address
    if server is other:
        taken = {int(one.address.split(".")[3]) for one in world.servers}
        world.move(server, f"10.0.1.{world.rng.choice([*set(range(250)) - taken])}")
    else:
        world.move(server, other.address)
        world.move(other, before)


def upgraded(world: World, process: Process) -> None:
    """Have a server be upgraded, or now and then downgraded."""
    server = world.rng.choice(world.servers)
    dialect = world.rng.choice([*world.dialects])
    world.story(f"server {server.number} becomes {dialect.label}")
    server.upgrade(dialect)


def password_changed(world: World, process: Process) -> None:
    """Have a server want other credentials."""
    server = world.rng.choice(world.servers)
    world.story(f"server {server.number} has a new password")
    server.settings.password = f"secret {world.rng.randrange(10**6)} of {server.number}"
    if server.settings.api_key:
        server.new_api_key()


HAPPENINGS: tuple[tuple[Happening, int], ...] = (
    (give, 30),
    (vpn_flaps, 10),
    (server_goes, 12),
    (power_cut, 6),
    (hangs, 8),
    (freezes, 8),
    (cuts, 6),
    (lies, 6),
    (bans, 2),
    (sessions_end, 3),
    (disconnected, 3),
    (disk_of_server, 3),
    (leaks, 5),
    (crashing_magnet, 2),
    (own_disk, 3),
    (clock_jumps, 3),
    (clock_of_server, 2),
    (site_down, 3),
    (moves, 5),
    (upgraded, 3),
    (password_changed, 1),
    (user_removes, 2),
    (user_retries, 4),
    (user_deletes, 6),
)
"""With the weight of each."""
