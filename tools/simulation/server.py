"""One server of a world: with the habits of real ones, and an address that may change."""

from typing import TYPE_CHECKING, override
from urllib.parse import urlsplit

from tests.promises.crashing.world import Machine
from tests.support.fake import Dialect
from tests.support.fake.api import Api
from tests.support.fake.record import Received

from .oracle import judge_add

if TYPE_CHECKING:
    from .world import World

PORT = 8080
HOME, EXIT = "203.0.113.5", "198.51.100.7"
"""What servers are seen with outside: past the VPN, and through it."""
SQLITE = 0.3
"""So many servers store their resume data in SQLite, and mostly do not say if that fails."""
_NEVER = float("-inf")


class Server(Machine):
    """A server that tells the oracle what it is sent."""

    def __init__(self, dialect: Dialect, world: World, number: int) -> None:
        """Be well, and list nothing."""
        self.number = number
        self._world = world
        self.name = f"server{number}.home"
        self.address = f"10.0.0.{number + 1}"
        self.moved_at = _NEVER
        self.freezes_at_add = False
        self.is_frozen = False
        self._held: list[tuple[Received, set[str]]] = []
        """The adds that came in while it was frozen, with their info-hashes."""
        self.sent_at: dict[str, float] = {}
        """When it was sent, by info-hash, what it has carried out late since (loop seconds)."""
        self.crashes_on: set[str] = set()
        self.leaks_since: float | None = None
        """When this process was seen with the home address, unless it was bound since."""
        self.restarted_at = _NEVER
        self.clock_offset = 0.0
        super().__init__(dialect, world.loop, PORT)
        if world.rng.random() < SQLITE:
            self.resume_data = self._stores_in = "SQLite"
        self.settings.password = f"secret of {number}"
        self.after = self._carried_out
        self.network.bind("tun0")

    @override
    def wall(self) -> float:
        return self.now() + self.clock_offset

    def leak(self) -> None:
        """Lose the binding, and be seen with the home address."""
        self.network.bind("")
        self.network.detect(HOME)
        if self.leaks_since is None:
            self.leaks_since = self._loop.time()

    def bind(self) -> None:
        """Be bound to the VPN, and be seen with its address."""
        self.network.bind("tun0")
        self.network.detect(EXIT)
        self.leaks_since = None

    def upgrade(self, dialect: Dialect) -> None:
        """Be stopped, and started as another release."""
        self.dialect = dialect
        vars(self.torrents)["_dialect"] = dialect
        for torrent in self.torrents:
            torrent.cached_json = ""
        self.api = Api(self)
        if dialect.api_key and not self.settings.api_key:
            self.new_api_key()
        self.power_cut()

    def _carried_out(self, received: Received) -> None:
        """Note what an add brought, and die of it if it has to."""
        self.record.requests.clear()
        if received.endpoint == "auth/login":
            self._world.quiet.login(self, received)
        if received.endpoint == "torrents/add":
            self._took(self._judged(received))

    def _judged(self, received: Received) -> set[str]:
        """Have the oracle judge an add; return the info-hashes in it."""
        lines = received.form.get("urls", "").split("\n")
        asked = urlsplit(f"//{received.headers['Host']}").hostname or ""
        return judge_add(self._world, self, asked, lines)

    def _took(self, hashes: set[str]) -> None:
        """Save what came, or say that it cannot; die of it if it has to."""
        if hashes & self.crashes_on & self.hashes:
            self._world.story(f"server {self.number} crashes on what it was sent")
            self.power_cut()
            self.go()
            self._loop.call_later(2, self.come)

    @override
    def power_cut(self) -> None:
        self.torrents.forget_unsaved()
        super().power_cut()
        self._held.clear()
        if self.is_frozen:
            self.go_on()
        self.leaks_since = None
        self.restarted_at = self._loop.time()
        self._world.restarted(self)
        self._complain()

    def full_disk(self, *, full: bool) -> None:
        """Fill the disk, or free it, upon which what is stored in files is saved."""
        self.disk_full = full
        self._complain()
        if not full and self._stores_in == "Legacy":
            for torrent in self.torrents:
                torrent.saved = True

    def _complain(self) -> None:
        """Say that saving fails, as it does now and then, where the log would tell."""
        if self.disk_full and self._stores_in == "Legacy":
            self.say_not_saving()

    @override
    def receive(self, received: Received) -> None:
        super().receive(received)
        if received.endpoint != "torrents/add":
            return
        if self.freezes_at_add:
            self.freeze()
        if self.is_frozen:
            self._held.append((received, self._judged(received)))

    def holds(self, info_hash: str, since: float) -> bool:
        """Tell whether it will carry out an add of this magnet that came after `since`."""
        return any(info_hash in hashes and one.time > since for one, hashes in self._held)

    def freeze(self) -> None:
        """Answer nothing; what comes in is carried out a moment after it is thawed."""
        self.freezes_at_add = False
        if not self.is_frozen:
            self.is_frozen = True
            self.faults.hang()
            self._world.story(f"server {self.number} is frozen")

    def go_on(self) -> None:
        """Be thawed."""
        self.freezes_at_add = False
        if not self.is_frozen:
            return
        self._world.story(f"server {self.number} is thawed")
        self.is_frozen = False
        self.faults.clear()
        later, process = self._world.rng.choice([0.0, 0.1, 0.5]), self.restarted_at
        for received, hashes in self._held:
            self._loop.call_later(later, self._carry_out_late, received, hashes, process)

    def _carry_out_late(self, received: Received, hashes: set[str], process: float) -> None:
        self._held = [one for one in self._held if one[0] is not received]
        if process == self.restarted_at:
            self.api.handle(received)
            self.sent_at |= dict.fromkeys(hashes, received.time)
            self._took(hashes)

    @override
    def heal(self) -> None:
        carried_out = self.after
        super().heal()
        self.after = carried_out
        self.go_on()
        self.clear_bans()
        self.bind()
        self.full_disk(full=False)
        self.torrents.list_delay = 0
        self.torrents.never_listed = set()
