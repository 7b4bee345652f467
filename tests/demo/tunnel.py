"""The VPN of the demo: a network namespace, or a poorer stand-in where there can be none."""

from typing import Protocol

from tests.harness.home_assistant import DOMAIN
from tests.harness.home_assistant_api import Api
from tests.harness.process import UnavailableError
from tests.harness.vpn import Vpn

ANSWERS = "127.0.0.1"
# The broadcast address of loopback: nothing ever answers there, and nothing leaves the machine.
NEVER_ANSWERS = "127.255.255.255"


class Tunnel(Protocol):
    """What the demo needs of a VPN."""

    what: str
    stand_in: bool
    target: str

    async def up(self, api: Api) -> None:
        """Bring it up."""

    async def down(self, api: Api) -> None:
        """Take it down."""

    def end(self) -> None:
        """Leave nothing behind."""


class VethTunnel:
    """A veth pair into a network namespace; down means that its far end is switched off."""

    stand_in = False

    def __init__(self) -> None:
        """Bring it up, or raise UnavailableError."""
        self._vpn = Vpn()
        self.target = self._vpn.target
        self.what = f"a veth pair into a network namespace, its far end is {self.target}"

    async def up(self, api: Api) -> None:
        """Switch the far end on."""
        self._vpn.up()

    async def down(self, api: Api) -> None:
        """Switch the far end off."""
        self._vpn.down()

    def end(self) -> None:
        """Remove the pair and the namespace."""
        self._vpn.close()


class ReconfiguredTunnel:
    """No network at all: the integration is told to watch another address."""

    stand_in = True
    target = ANSWERS
    what = (
        f"a stand-in: the target to watch is changed from {ANSWERS}, which answers, to "
        f"{NEVER_ANSWERS}, where nothing ever does"
    )

    async def up(self, api: Api) -> None:
        """Watch what answers."""
        await self._watch(api, ANSWERS)

    async def down(self, api: Api) -> None:
        """Watch what does not."""
        await self._watch(api, NEVER_ANSWERS)

    def end(self) -> None:
        """There is nothing to remove."""

    @staticmethod
    async def _watch(api: Api, target: str) -> None:
        """Change the targets as a user does, by the reconfigure flow."""
        (entry,) = await api.entries(DOMAIN)
        flow = await api.config_flow(DOMAIN, entry["entry_id"])
        if flow.kind == "form":
            await flow.submit(vpn_targets=[target])
        if flow.result.get("reason") != "reconfigure_successful":
            flow.expect("abort")


def make_tunnel(refused: str = "") -> tuple[Tunnel, str]:
    """Return the VPN and, where it is a stand-in, the reason; `refused` is one known before."""
    if refused:
        return ReconfiguredTunnel(), refused
    try:
        return VethTunnel(), ""
    except UnavailableError as err:
        return ReconfiguredTunnel(), str(err)
