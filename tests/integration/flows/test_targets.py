"""What the flows say of VPN targets: each is tried once, and a bad one is not taken silently."""

import asyncio
from collections.abc import AsyncGenerator
from ipaddress import ip_address
import socket
from typing import Any

from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.flows.surroundings import Surroundings
from tests.support.common import TARGET, FakeVpn, Start, instance, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import Fields, Result, choose, entered, finish, shown, submit

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")

FAR = "198.51.100.9"


async def ask(hass: HomeAssistant, *targets: str, form: Result | None = None) -> Result:
    """Submit VPN targets, in a new flow if there is none yet."""
    if form is None:
        form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    return await submit(hass, form, {"vpn_targets": list(targets)})


def said(result: Result, *options: str) -> dict[str, str]:
    """Assert that this is the menu with these options; return what it says of each target."""
    assert (result["type"], result["step_id"]) == (FlowResultType.MENU, "targets")
    assert result["menu_options"] == list(options or ("use_anyway", "user"))
    lines = result["description_placeholders"]["found"].splitlines()
    return {line.split("`")[1]: line.split("`")[2].strip(" :") for line in lines}


@pytest.fixture
async def port(vpn: FakeVpn, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[int]:
    """Return a port of 127.0.0.1 that takes connections; that host counts as a far end."""
    monkeypatch.setattr(Surroundings, "is_own", lambda *_: False)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_target_that_answers_goes_on_silently(
    hass: HomeAssistant, vpn: FakeVpn, port: int
) -> None:
    form = await ask(hass, TARGET, f"127.0.0.1:{port}", f"vpn.example:{port}")
    assert said(form)[f"vpn.example:{port}"]  # it is at TARGET, where no test may connect to
    form = await ask(hass, TARGET, f"127.0.0.1:{port}")
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "instance")
    assert vpn.rounds == 2  # each was asked once


async def test_tcp_only_needs_no_permission_to_ping(
    hass: HomeAssistant, vpn: FakeVpn, port: int, primary: FakeQBittorrent
) -> None:
    vpn.permitted = False
    form = await ask(hass, f"127.0.0.1:{port}", TARGET)
    assert form["errors"] == {"base": "icmp_not_permitted"}
    form = await ask(hass, f" 127.0.0.1:{port} ", form=form)
    result = await finish(hass, await submit(hass, form, entered(primary)))
    assert result["result"].data["vpn_targets"] == [f"127.0.0.1:{port}"]


async def test_what_does_not_answer_is_asked_about(
    hass: HomeAssistant, vpn: FakeVpn, port: int, primary: FakeQBittorrent
) -> None:
    vpn.names["typo.example"] = None
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but not listening: refused
        refused = f"127.0.0.1:{unused.getsockname()[1]}"
        menu = await ask(hass, "typo.example", TARGET, refused, f"127.0.0.1:{port}")
    assert said(menu) == {
        "typo.example": "nobody knows this name. Check the spelling, or enter an IP address.",
        TARGET: "answers.",
        refused: "refuses the connection. Check the port.",
        f"127.0.0.1:{port}": "answers.",
    }
    form = await choose(hass, menu, "user")
    assert (form["step_id"], form["errors"]) == ("user", {})
    assert shown(form)["vpn_targets"] == ["typo.example", TARGET, refused, f"127.0.0.1:{port}"]
    vpn.up = False
    menu = await ask(hass, TARGET, form=form)
    assert said(menu)[TARGET].startswith("does not answer")
    form = await choose(hass, menu, "use_anyway")
    result = await finish(hass, await submit(hass, form, entered(primary)))
    assert result["result"].data["vpn_targets"] == [TARGET]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("192.168.1.1", "router"),
        ("fritz.box", "router"),
        ("1.1.1.1", "public DNS server"),
        ("2001:4860:4860::8888", "public DNS server"),
        ("dns.example", "public DNS server"),
        ("93.184.215.14", "public address"),
    ],
)
async def test_what_answers_without_the_vpn_is_asked_about(
    hass: HomeAssistant, vpn: FakeVpn, target: str, words: str
) -> None:
    vpn.surroundings = Surroundings(gateways=frozenset({ip_address("192.168.1.1")}))
    vpn.names |= {"fritz.box": "192.168.1.1", "dns.example": "9.9.9.9"}
    menu = await ask(hass, TARGET, target)
    found = said(menu)
    assert words in found[target]
    assert found[TARGET] == "answers."
    vpn.up = False  # whoever it is, it does not answer
    form = await ask(hass, target, form=await choose(hass, menu, "user"))
    assert said(form)[target].startswith("does not answer")


@pytest.mark.parametrize(
    "target",
    [
        "localhost",
        "localhost:8080",
        "localhost.",
        "nas.localhost:80",
        "127.0.0.1",
        "127.8.8.8:80",
        "::1",
        "[::1]:80",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "::",
        "[::]:80",
        "192.168.1.5",
        "192.168.1.5:53",
        "homeassistant.local",
    ],
)
async def test_own_host_is_refused(
    hass: HomeAssistant, vpn: FakeVpn, target: str, primary: FakeQBittorrent
) -> None:
    vpn.surroundings = Surroundings(own=frozenset({ip_address("192.168.1.5")}))
    vpn.names |= {"localhost": "127.0.0.1", "homeassistant.local": "192.168.1.5"}
    form = await ask(hass, TARGET, target)
    assert form["step_id"] == "user"
    assert form["errors"] == {"vpn_targets": "target_is_local"}
    assert shown(form)["vpn_targets"] == [TARGET, target]
    assert vpn.rounds == 0
    form = await ask(hass, TARGET, form=form)
    await finish(hass, await submit(hass, form, entered(primary)))


async def test_spellings_are_put_right(
    hass: HomeAssistant, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    menu = await ask(
        hass, "VPN.example", "vpn.example", " [2001:DB8:0::1]:443 ", "", "10.8.0.1:053"
    )
    assert said(menu).keys() == {"vpn.example", "[2001:db8::1]:443", "10.8.0.1:53"}
    form = await choose(hass, menu, "use_anyway")
    result = await finish(hass, await submit(hass, form, entered(primary)))
    targets = ["vpn.example", "[2001:db8::1]:443", "10.8.0.1:53"]
    assert result["result"].data["vpn_targets"] == targets


async def change(
    hass: HomeAssistant, entry: Any, fields: Fields, form: Result | None = None
) -> Result:
    """Submit the reconfigure flow, a new one if there is none yet."""
    form = form or await entry.start_reconfigure_flow(hass)
    result = await submit(hass, form, fields)
    await settled(hass)
    return result


async def test_reconfigure(
    hass: HomeAssistant, start: Start, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary, requires_vpn=True), targets=(TARGET,))
    vpn.names["typo.example"] = None
    menu = await change(hass, entry, {"vpn_targets": [TARGET, "typo.example"]})
    assert said(menu, "use_anyway", "reconfigure")["typo.example"].startswith("nobody knows")
    form = await choose(hass, menu, "reconfigure")
    assert form["step_id"] == "reconfigure"
    assert shown(form)["vpn_targets"] == [TARGET, "typo.example"]
    form = await change(hass, entry, {"vpn_targets": ["127.0.0.1"]}, form)
    assert form["errors"] == {"vpn_targets": "target_is_local"}
    assert entry.data["vpn_targets"] == [TARGET]
    menu = await change(hass, entry, {"vpn_targets": ["typo.example", FAR]}, form)
    result = await choose(hass, menu, "use_anyway")
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["vpn_targets"] == ["typo.example", FAR]
    await settled(hass)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:8000"])
async def test_the_last_target_may_go_where_a_gluetun_tells(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, url: str
) -> None:
    gluetun = {"gluetun_url": url} if url else {}
    given = instance("first", primary, requires_vpn=True, gluetun=gluetun)
    entry = await start(given, targets=(TARGET,))
    result = await change(hass, entry, {"vpn_targets": [" "]})
    if url:
        assert result["reason"] == "reconfigure_successful"
        assert entry.data["vpn_targets"] == []
    else:
        assert result["errors"] == {"vpn_targets": "vpn_required"}


async def test_home_address(
    hass: HomeAssistant,
    start: Start,
    entity_registry: er.EntityRegistry,
    primary: FakeQBittorrent,
) -> None:
    router = entity_registry.async_get_or_create(
        "sensor", "fritz", "1", translation_key="external_ip", suggested_object_id="router"
    ).entity_id
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert shown(form) == {"vpn_targets": [], "home_address": [router]}
    form = await submit(hass, form, {"vpn_targets": ["a b"], "home_address": []})
    assert shown(form)["home_address"] == []  # cleared by the user, and not proposed again
    form = await submit(hass, form, {"home_address": [router, "input_text.home"]})
    result = await finish(hass, await submit(hass, form, entered(primary)))
    entry = result["result"]
    assert entry.data == {"vpn_targets": [], "home_address": [router, "input_text.home"]}
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "reconfigure", "entry_id": entry.entry_id}
    )
    assert shown(form) == entry.data
    result = await submit(hass, form, {})
    assert entry.data == {"vpn_targets": [], "home_address": []}
    await settled(hass)
    form = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "reconfigure", "entry_id": entry.entry_id}
    )
    assert shown(form) == {"vpn_targets": [], "home_address": []}


async def test_home_address_is_proposed_to_entries_of_earlier_versions(
    hass: HomeAssistant,
    start: Start,
    entity_registry: er.EntityRegistry,
    primary: FakeQBittorrent,
) -> None:
    router = entity_registry.async_get_or_create(
        "sensor", "upnp", "1", translation_key="external_ip"
    ).entity_id
    entry = await start(instance("first", primary))
    hass.config_entries.async_update_entry(entry, data={"vpn_targets": []})
    await settled(hass)
    form = await entry.start_reconfigure_flow(hass)
    assert shown(form) == {"vpn_targets": [], "home_address": [router]}
