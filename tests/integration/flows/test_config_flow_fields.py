"""What the form of an instance refuses without asking any server."""

from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.qbittorrent_resilient.flows.connection_test import Trial
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import (
    DEFAULTS,
    NO_DEFAULTS,
    NO_GLUETUN,
    Fields,
    all_fields,
    begin,
    choose,
    entered,
    finish,
    refused,
    submit,
)

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")

INVALID_URLS = {
    "": "This one names no host.",
    "   ": "This one names no host.",
    "http://": "This one names no host.",
    "http://:PORT": "This one names no host.",
    "ftp://127.0.0.1:PORT": "Only http:// and https:// are possible.",
    "ws://127.0.0.1:PORT": "Only http:// and https:// are possible.",
    "file:///etc/passwd": "Only http:// and https:// are possible.",
    "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567": "Only http:// and https://",
    "http://127.0.0.1:0": "A port is a number from 1 to 65535.",
    "http://127.0.0.1:99999": "A port is a number from 1 to 65535.",
    "http://127.0.0.1:port": "A port is a number from 1 to 65535.",
    "127.0.1:PORT": "This is not a complete IP address.",
    "fd00::9:8080": "put the IPv6 address in brackets: [fd00::9]:8080.",
    "http://[::1": "This one cannot be read.",
    f"http://{'a' * 64}.example": "This one cannot be read.",
    "http://a..b": "This one cannot be read.",
    "http://127.0.0.1:PORT/a path": "a blank, a backslash or an invisible character",
    "http://127.0.0.1:PORT/\tx": "a blank, a backslash or an invisible character",
    "http://127.0.0.1:PORT\nHost: x": "a blank, a backslash or an invisible character",
    "http://127.0.0.1:PORT\\x": "a blank, a backslash or an invisible character",
    "http://127.0.0.1:PORT http://nas": "Enter one address only.",
    "http://admin:secret@127.0.0.1:PORT": "those for a proxy are in the section “Proxy”.",
    "http://admin@127.0.0.1:PORT": "Leave out username and password",
    "admin:secret@127.0.0.1:PORT": "Leave out username and password",
    "http://@127.0.0.1:PORT": "Leave out username and password",
}


async def test_invalid_url(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    result = await begin(hass)
    for url, hint in INVALID_URLS.items():
        fields = all_fields(primary, url=url.replace("PORT", str(primary.port)))
        result = await refused(hass, result, fields, url="invalid_url")
        assert hint in result["description_placeholders"]["hint"], url
    assert primary.record.connections == 0
    await finish(hass, await submit(hass, result, all_fields(primary)))


@pytest.mark.parametrize(
    "pasted",
    [
        "127.0.0.1:PORT",
        "http:127.0.0.1:PORT",
        "HTTP:/127.0.0.1:PORT/",
        "//127.0.0.1:PORT",
        "\ufeff http://127.0.0.1:PORT/?lang=de#/torrents \u200b",
        "http://127.0.0.1:PORT//index.html",
        "http://127.0.0.1:PORT/login.html",
        "http://127.0.0.1:PORT/api/v2/app/version",
    ],
)
async def test_url_as_it_is_pasted(
    hass: HomeAssistant, primary: FakeQBittorrent, pasted: str
) -> None:
    fields = all_fields(primary, url=pasted.replace("PORT", str(primary.port)))
    result = await finish(hass, await submit(hass, await begin(hass), fields))
    (only,) = result["result"].subentries.values()
    assert only.data["url"] == primary.url


async def test_both_addresses_are_wrong(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    """There is room for one hint; what is wrong with both of them is said."""
    errors = {"url": "invalid_url", "gluetun": "invalid_url"}
    result = await begin(hass)
    for url, gluetun, hint in (
        ("n*s", "g*n", "This one cannot be read."),
        ("n*s", "http://gluetun:8000?key", ""),
    ):
        fields = all_fields(primary, url=url, gluetun=NO_GLUETUN | {"gluetun_url": gluetun})
        result = await refused(hass, result, fields, **errors)
        assert result["description_placeholders"]["hint"] == hint


async def test_vpn_required(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    fields = all_fields(primary, requires_vpn=True)
    result = await refused(hass, await begin(hass), fields, requires_vpn="vpn_required")
    assert primary.record.connections == 0
    await finish(hass, await submit(hass, result, all_fields(primary)))


@pytest.mark.parametrize(
    "spelling",
    [
        "http://127.0.0.1:{}/",
        "  http://127.0.0.1:{}  ",
        "HTTP://127.0.0.1:{}",
        "https://127.0.0.1:{}",
        "http://127.0.0.1:0{}//",
        "127.0.0.1:{}",
        "http://[::ffff:127.0.0.1]:{}",
        "http://127.0.0.1:{}/#/torrents",
    ],
)
async def test_already_configured_in_the_same_flow(
    hass: HomeAssistant, primary: FakeQBittorrent, secondary: FakeQBittorrent, spelling: str
) -> None:
    result = await submit(hass, await begin(hass), entered(primary))
    form = await choose(hass, result, "instance")
    primary.record.clear()
    fields = all_fields(primary, name="Second", url=spelling.format(primary.port))
    result = await refused(hass, form, fields, url="already_configured")
    assert result["description_placeholders"]["servers"] == "First"
    assert primary.record.connections == 0
    await finish(hass, await submit(hass, result, entered(secondary, "Second")))


async def test_same_host_with_default_port_and_capitals(hass: HomeAssistant) -> None:
    fields = {"name": "First", "url": "http://NAS.example"}
    with patch(
        "custom_components.qbittorrent_resilient.flows.instance_check.async_try_instance",
        return_value=Trial(),
    ):
        result = await submit(hass, await begin(hass), fields)
    form = await choose(hass, result, "instance")
    fields = {"name": "Second", "url": "http://nas.EXAMPLE:80/"}
    await refused(hass, form, fields, url="already_configured")


async def test_another_path_is_another_server(hass: HomeAssistant) -> None:
    with patch(
        "custom_components.qbittorrent_resilient.flows.instance_check.async_try_instance",
        return_value=Trial(),
    ):
        fields = {"name": "First", "url": "http://nas.example/one"}
        result = await submit(hass, await begin(hass), fields)
        form = await choose(hass, result, "instance")
        fields = {"name": "Second", "url": "http://nas.example/two"}
        assert (await submit(hass, form, fields))["type"] is FlowResultType.MENU


SAME_NAME = [
    " First Ä ",
    "first ä",
    "FIRST  Ä",
    "Fi\u200brst Ä",
    "First\u00a0Ä",
    "First A\u0308",
    "Ｆｉｒｓｔ Ä",
    "\u2066First Ä\u2069",
]


@pytest.mark.parametrize("name", SAME_NAME)
async def test_names_are_given_once(
    hass: HomeAssistant, primary: FakeQBittorrent, secondary: FakeQBittorrent, name: str
) -> None:
    fields = all_fields(primary, name="  ")
    result = await refused(hass, await begin(hass), fields, name="name_missing")
    result = await submit(hass, result, entered(primary, "First Ä"))
    form = await choose(hass, result, "instance")
    fields = all_fields(secondary, name=name)
    result = await refused(hass, form, fields, name="already_configured")
    assert result["description_placeholders"]["servers"] == "First Ä"
    assert secondary.record.connections == 0
    await finish(hass, await submit(hass, result, all_fields(secondary, name="First A")))


INVALID_DEFAULTS: list[Fields] = [
    {"category": "/iso"},
    {"category": "a\\b"},
    {"category": "a\nb"},
    {"save_path": "/iso\r\nx"},
    {"save_path": "/iso\x00"},
    {"tags": ["a,b"]},
    {"tags": ["a", " "]},
    {"tags": ["a\nb"]},
]


async def test_invalid_defaults(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    result = await begin(hass)
    for changes in INVALID_DEFAULTS:
        fields = all_fields(primary, defaults=DEFAULTS | changes)
        result = await refused(hass, result, fields, base="invalid_defaults")
    assert primary.record.connections == 0
    await finish(hass, await submit(hass, result, all_fields(primary, defaults=NO_DEFAULTS)))


async def test_all_field_errors_at_once(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    fields = all_fields(primary, name=" ", url="n*s", requires_vpn=True)
    errors = {"name": "name_missing", "url": "invalid_url", "requires_vpn": "vpn_required"}
    await refused(hass, await begin(hass), fields, **errors)
