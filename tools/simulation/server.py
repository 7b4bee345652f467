"""One server of a world: with the habits of real ones, and an address that may change."""

from typing import TYPE_CHECKING, override
from urllib.parse import urlsplit

from tests.promises.crashing.world import Machine
from tests.support.fake import Dialect
from tests.support.fake.api import Api
from tests.support.fake.record import Received

if TYPE_CHECKING:
    from .world import World

PORT = 8080
HOME, EXIT = "203.0.113.5", "198.51.100.7"
"""What servers are seen with outside: past the VPN, and through it."""
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
        self.disk_is_full = False
        self.unsaved: set[str] = set()
        """What came while the disk was full: it is gone after the next restart."""
        self.crashes_on: set[str] = set()
        self.leaks_since: float | None = None
        """When this process was seen with the home address, unless it was bound since."""
        self.restarted_at = _NEVER
        super().__init__(dialect, world.loop, PORT)
        self.settings.password = f"secret of {number}"
        self.after = self._carried_out
        self.network.bind("tun0")

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
        if received.endpoint != "torrents/add":
            return
        lines = received.form.get("urls", "").split("\n")
        asked = urlsplit(f"//{received.headers['Host']}").hostname or ""
        hashes = self._world.oracle_add(self, asked, lines)
        if self.disk_is_full:
            self.unsaved |= hashes & self.hashes
            self.say_not_saving()
        if hashes & self.crashes_on & self.hashes:
            self._world.story(f"server {self.number} crashes on what it was sent")
            self.power_cut()
            self.go()
            self._loop.call_later(2, self.come)

    @override
    def power_cut(self) -> None:
        lost = {one for one in self.unsaved if one in self.hashes}
        super().power_cut()
        self.torrents.delete(lost)
        self.unsaved.clear()
        self.leaks_since = None
        self.restarted_at = self._loop.time()
        if self.disk_is_full:
            self.say_not_saving()

    def full_disk(self, *, full: bool) -> None:
        """Fill the disk, or free it, upon which all is saved."""
        self.disk_is_full = full
        if full:
            self.say_not_saving()
        else:
            self.unsaved.clear()

    @override
    def heal(self) -> None:
        carried_out = self.after
        super().heal()
        self.after = carried_out
        self.clear_bans()
        self.bind()
        self.full_disk(full=False)
        self.torrents.list_delay = 0
        self.torrents.never_listed = set()
