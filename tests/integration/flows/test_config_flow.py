"""Setting up through the user interface: the way to an entry, and what it then holds."""

from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.common import TARGET, FakeVpn, Start, eventually, instance
from tests.support.fake.dialect import V4_5, V5_1, V5_3, Dialect
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import (
    NO_DEFAULTS,
    NO_GLUETUN,
    NO_PROXY,
    begin,
    choose,
    connected,
    entered,
    finish,
    shown,
    submit,
)

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")


@pytest.mark.parametrize(
    ("first", "second"), [(V5_3, V4_5), (V4_5, V5_1), (V5_1, V5_3)], ids=lambda one: one.version
)
async def test_two_instances(
    hass: HomeAssistant, hass_storage: object, first: Dialect, second: Dialect
) -> None:
    async with FakeQBittorrent(first) as one, FakeQBittorrent(second) as two:
        result = await begin(hass, (TARGET, "vpn.example"))
        result = await submit(hass, result, entered(one, "Seedbox", requires_vpn=True))
        assert result["type"] is FlowResultType.MENU
        assert result["menu_options"] == ["instance", "finish"]
        found = f"{connected(one)} Seedbox is bound to `lo`."
        assert result["description_placeholders"] == {"instances": "Seedbox", "found": found}
        result = await choose(hass, result, "instance")
        defaults = {"category": "iso", "save_path": "/iso", "tags": ["a", "b"], "stopped": "stop"}
        fields = entered(two, "NAS", requires_vpn=False, defaults=defaults)
        result = await submit(hass, result, fields)
        assert result["description_placeholders"] == {
            "instances": "Seedbox, NAS",
            "found": connected(two),
        }
        result = await finish(hass, result)

        entry = result["result"]
        assert entry.state is ConfigEntryState.LOADED
        assert entry.title == "qBittorrent Resilient"
        assert entry.data == {"vpn_targets": [TARGET, "vpn.example"], "home_address": []}
        seedbox, nas = entry.get_subentries_of_type("instance")
        assert (seedbox.title, seedbox.unique_id) == ("Seedbox", None)
        assert seedbox.data == {
            "url": one.url,
            "username": "admin",
            "password": "secret",
            "api_key": "",
            "verify_ssl": True,
            "requires_vpn": True,
            "priority": 1,
            "defaults": NO_DEFAULTS,
        }
        assert nas.title == "NAS"
        assert nas.data["defaults"] == defaults
        assert (nas.data["priority"], nas.data["requires_vpn"]) == (2, False)
        await eventually(lambda: hass.states.is_state("sensor.seedbox_status", "ok"))
        await eventually(lambda: hass.states.is_state("sensor.nas_status", "ok"))


async def test_only_one_entry(hass: HomeAssistant, start: Start, primary: FakeQBittorrent) -> None:
    await start(instance("first", primary))
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "single_instance_allowed"


@pytest.mark.parametrize(("targets", "required"), [((TARGET,), True), ((), False)])
async def test_the_vpn_is_required_where_one_is_watched(
    hass: HomeAssistant, primary: FakeQBittorrent, targets: tuple[str, ...], required: bool
) -> None:
    form = await begin(hass, targets)
    assert shown(form) == {
        "username": "",
        "password": "",
        "api_key": "",
        "verify_ssl": True,
        "requires_vpn": required,
        "priority": 1,
        "proxy": NO_PROXY,
        "gluetun": NO_GLUETUN,
        "defaults": NO_DEFAULTS,
    }
    result = await finish(hass, await submit(hass, form, entered(primary)))
    (only,) = result["result"].subentries.values()
    assert only.data["requires_vpn"] is required


async def test_priority_is_the_next_free_number(
    hass: HomeAssistant, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    result = await submit(hass, await begin(hass), entered(primary, priority=5))
    form = await choose(hass, result, "instance")
    assert shown(form)["priority"] == 6
    result = await finish(hass, await submit(hass, form, entered(secondary, "Second")))
    priorities = [one.data["priority"] for one in result["result"].subentries.values()]
    assert priorities == [5, 6]


async def test_priority_is_a_whole_number_from_one(
    hass: HomeAssistant, primary: FakeQBittorrent
) -> None:
    form = await begin(hass)
    for no_priority in (0, 10**30):  # which Home Assistant could not store
        with pytest.raises(InvalidData):
            await submit(hass, form, entered(primary, priority=no_priority))
    assert not primary.requests
    result = await finish(hass, await submit(hass, form, entered(primary, priority=2.0)))
    (only,) = result["result"].subentries.values()
    assert repr(only.data["priority"]) == "2"


async def test_targets_are_tidied(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    form = await begin(hass, (f" {TARGET} ", "", TARGET, "2001:db8::7", "gluetun_vpn"))
    result = await finish(hass, await submit(hass, form, entered(primary)))
    assert result["result"].data["vpn_targets"] == [TARGET, "2001:db8::7", "gluetun_vpn"]


async def test_invalid_target(hass: HomeAssistant, vpn: FakeVpn, primary: FakeQBittorrent) -> None:
    result: Any = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    for target in (
        "http://10.0.0.1",
        "10.0.0.1:0",
        "vpn.example:http",
        "[10.0.0.1]:80",
        "10.0.0.1/24",
        "two words",
        "-x",
        "ünïcode",
        "a\nb",
    ):
        result = await submit(hass, result, {"vpn_targets": [TARGET, target]})
        assert result["step_id"] == "user"
        assert result["errors"] == {"vpn_targets": "invalid_target"}, target
        assert shown(result) == {"vpn_targets": [TARGET, target], "home_address": []}
    assert vpn.rounds == 0
    form = await submit(hass, result, {"vpn_targets": [TARGET]})
    result = await finish(hass, await submit(hass, form, entered(primary)))
    assert result["result"].data == {"vpn_targets": [TARGET], "home_address": []}


async def test_icmp_not_permitted(
    hass: HomeAssistant, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    vpn.permitted = False
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await submit(hass, result, {"vpn_targets": [TARGET]})
    assert result["step_id"] == "user"
    assert result["errors"] == {"base": "icmp_not_permitted"}
    assert shown(result)["vpn_targets"] == [TARGET]
    vpn.permitted = True
    form = await submit(hass, result, shown(result))
    assert form["step_id"] == "instance"
    await finish(hass, await submit(hass, form, entered(primary)))


async def test_without_targets_no_ping_is_needed(
    hass: HomeAssistant, vpn: FakeVpn, primary: FakeQBittorrent
) -> None:
    vpn.permitted = False
    result = await finish(hass, await submit(hass, await begin(hass), entered(primary)))
    assert result["result"].data == {"vpn_targets": [], "home_address": []}
    assert hass.states.get("binary_sensor.qbittorrent_resilient_vpn") is None


async def test_no_login_needed(hass: HomeAssistant, dialect: Dialect) -> None:
    async with FakeQBittorrent(dialect, local_host_auth=False) as server:
        fields = {"name": "Open", "url": server.url}
        await finish(hass, await submit(hass, await begin(hass), fields))
        await eventually(lambda: hass.states.is_state("sensor.open_status", "ok"))
        assert not server.logins


async def test_api_key(hass: HomeAssistant) -> None:
    async with FakeQBittorrent(V5_3) as server:
        key = server.new_api_key()
        form = await begin(hass)
        # It is one or the other; a user name that was filled in does not matter.
        both = entered(server, api_key=key)
        result = await submit(hass, form, both)
        assert result["errors"] == {"api_key": "key_or_password"}
        assert not server.requests
        fields = entered(server, api_key="qbt_wrong", password="")
        result = await submit(hass, result, fields)
        assert result["errors"] == {"base": "invalid_auth"}
        assert shown(result)["api_key"] == "qbt_wrong"
        fields = entered(server, api_key=f" {key} ", password="")
        result = await finish(hass, await submit(hass, result, fields))
        (only,) = result["result"].subentries.values()
        assert only.data["api_key"] == key
        await eventually(lambda: hass.states.is_state("sensor.first_status", "ok"))
        assert not server.logins


@pytest.mark.usefixtures("refused_handshakes")
async def test_self_signed_certificate(hass: HomeAssistant, dialect: Dialect) -> None:
    async with FakeQBittorrent(dialect, https=True) as server:
        result = await submit(hass, await begin(hass), entered(server))
        assert result["errors"] == {"base": "ssl_error"}
        assert not server.requests
        result = await submit(hass, result, entered(server, verify_ssl=False))
        result = await finish(hass, result)
        (only,) = result["result"].subentries.values()
        assert only.data["verify_ssl"] is False
        await eventually(lambda: hass.states.is_state("sensor.first_status", "ok"))


async def test_behind_a_proxy_path(hass: HomeAssistant) -> None:
    async with FakeQBittorrent(V5_3, prefix="/qbt", own_port=8080) as server:
        fields = entered(server, url=f"  {server.url}/  ")
        result = await finish(hass, await submit(hass, await begin(hass), fields))
        (only,) = result["result"].subentries.values()
        assert only.data["url"] == server.url
        await eventually(lambda: hass.states.is_state("sensor.first_status", "ok"))
