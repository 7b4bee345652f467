"""What is said of an instance after it was accepted: how its torrents use the VPN."""

from collections.abc import Callable
from typing import Any

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from tests.support.common import TARGET, Start, instance, settled
from tests.support.fake.dialect import Dialect
from tests.support.fake.network import Network
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import begin, connected, entered, finish, shown, submit
from tests.support.gluetun import FakeGluetun

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")

CONNECTED = "Connected: qBittorrent 5.3.0."
EXPOSED = "First is not bound to the VPN: see repairs."


def unbound(network: Network, *interfaces: str) -> None:
    network.interface = network.address = ""
    network.interfaces = ["lo", *interfaces]


def proxied(network: Network) -> None:
    unbound(network, "eth0")
    network.proxy_type = "SOCKS5"


def hostile(network: Network) -> None:
    network.interface = "`](http://evil)![x]<b>" + 60 * "x"
    network.interfaces = [network.interface]


CASES: dict[str, tuple[Callable[[Network], object], str]] = {
    "interface": (lambda network: network.bind("tun0"), "First is bound to `tun0`."),
    "address": (lambda network: network.bind("", "10.8.0.2"), "First is bound to `10.8.0.2`."),
    "not there": (lambda network: network.bind("tun9"), "First is bound to `tun9`, which is not"),
    "exposed": (lambda network: unbound(network, "eth0", "tun0"), EXPOSED),
    "one way": (lambda network: unbound(network, "eth0"), "First is not bound to a network inter"),
    "proxy": (proxied, "First is not bound to the VPN, and its proxy is used for trackers only"),
    "markup": (hostile, f"First is bound to `(http:evil)xb{27 * 'x'}`."),
}


@pytest.mark.parametrize("case", CASES)
async def test_binding(hass: HomeAssistant, dialect: Dialect, case: str) -> None:
    prepare, text = CASES[case]
    async with FakeQBittorrent(dialect) as server:
        prepare(server.network)
        menu = await submit(hass, await begin(hass, (TARGET,)), entered(server))
        found = menu["description_placeholders"]["found"]
        assert found.startswith(f"{connected(server)} {text}"), found
        await finish(hass, menu)


async def test_behind_gluetun(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    unbound(primary.network, "eth0", "tun0")
    async with FakeGluetun() as gluetun:
        section = {"gluetun_url": gluetun.url}
        fields = entered(primary, requires_vpn=True, gluetun=section)
        menu = await submit(hass, await begin(hass), fields)
        assert menu["description_placeholders"]["found"] == f"{CONNECTED} First is behind gluetun."
        assert not primary.requests_to("app/preferences")
        await finish(hass, menu)


async def test_a_name_is_plain_text(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    fields = entered(primary, "![x](http://evil) `b`")
    menu = await submit(hass, await begin(hass, (TARGET,)), fields)
    found = menu["description_placeholders"]["found"]
    assert found.endswith(r" \!\[x\]\(http\:\/\/evil\) \`b\` is bound to `lo`.")
    await finish(hass, menu)


async def test_nothing_is_said_where_the_vpn_is_not_required(
    hass: HomeAssistant, primary: FakeQBittorrent
) -> None:
    menu = await submit(hass, await begin(hass, (TARGET,)), entered(primary, requires_vpn=False))
    assert menu["description_placeholders"]["found"] == CONNECTED
    assert not primary.requests_to("app/preferences")
    await finish(hass, menu)


@pytest.mark.parametrize("endpoint", ["app/preferences", "app/networkInterfaceList"])
async def test_a_server_that_does_not_say_is_accepted(
    hass: HomeAssistant, primary: FakeQBittorrent, endpoint: str
) -> None:
    primary.faults.answer(403, "Forbidden", endpoint=endpoint)
    menu = await submit(hass, await begin(hass, (TARGET,)), entered(primary))
    assert menu["description_placeholders"]["found"] == CONNECTED
    await finish(hass, menu)


async def test_adding_and_changing_later(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    entry = await start(instance("second", secondary), targets=(TARGET,))
    unbound(primary.network, "eth0", "tun0")
    flows = hass.config_entries.subentries
    handler = (entry.entry_id, "instance")

    async def add(name: str, **changes: Any) -> Any:
        form = await flows.async_init(handler, context={"source": SOURCE_USER})
        result = await flows.async_configure(form["flow_id"], entered(primary, name, **changes))
        await settled(hass)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        return result

    result = await add("First")
    assert result["description"] == "found"
    assert result["description_placeholders"] == {"found": f"{CONNECTED} {EXPOSED}"}
    (key,) = (one for one in entry.subentries if one != "second")

    form = await entry.start_subentry_reconfigure_flow(hass, key)
    primary.network.bind("tun0")
    result = await flows.async_configure(form["flow_id"], shown(form))
    await settled(hass)
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    assert "translation_domain" not in result
    assert result["description_placeholders"] == {"found": f"{CONNECTED} First is bound to `tun0`."}

    form = await entry.start_subentry_reconfigure_flow(hass, key)
    result = await flows.async_configure(form["flow_id"], shown(form) | {"requires_vpn": False})
    await settled(hass)
    assert result["description_placeholders"] == {"found": CONNECTED}

    hass.config_entries.async_remove_subentry(entry, key)
    await settled(hass)
    result = await add("Third", requires_vpn=False)
    assert (result["description"], result["description_placeholders"]["found"]) == (
        "found",
        CONNECTED,
    )
