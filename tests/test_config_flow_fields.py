"""What the form of an instance refuses without asking any server."""

from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from tests.fake.server import FakeQBittorrent
from tests.flow import (
    DEFAULTS,
    NO_DEFAULTS,
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

INVALID_URLS = [
    "",
    "   ",
    "127.0.0.1:PORT",
    "ftp://127.0.0.1:PORT",
    "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567",
    "file:///etc/passwd",
    "//127.0.0.1:PORT",
    "http:127.0.0.1:PORT",
    "http://",
    "http://:PORT",
    "http://127.0.0.1:0",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:port",
    "http://[::1",
    "http://127.0.0.1:PORT/a path",
    "http://127.0.0.1:PORT/\tx",
    "http://127.0.0.1:PORT\nHost: x",
    "http://127.0.0.1:PORT\x00",
    "http://127.0.0.1:PORT\\x",
    "http://127.0.0.1:PORT/?a=b",
    "http://127.0.0.1:PORT/#top",
    "http://admin:secret@127.0.0.1:PORT",
    "http://admin@127.0.0.1:PORT",
    "http://@127.0.0.1:PORT",
    f"http://{'a' * 64}.example",
    "http://a..b",
]


async def test_invalid_url(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    result = await begin(hass)
    for url in INVALID_URLS:
        fields = all_fields(primary, url=url.replace("PORT", str(primary.port)))
        result = await refused(hass, result, fields, url="invalid_url")
    assert primary.record.connections == 0
    await finish(hass, await submit(hass, result, all_fields(primary)))


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
    assert primary.record.connections == 0
    await finish(hass, await submit(hass, result, entered(secondary, "Second")))


async def test_same_host_with_default_port_and_capitals(hass: HomeAssistant) -> None:
    fields = {"name": "First", "url": "http://NAS.example"}
    with patch("custom_components.qbittorrent_resilient.forms.async_try_instance", return_value=""):
        result = await submit(hass, await begin(hass), fields)
    form = await choose(hass, result, "instance")
    fields = {"name": "Second", "url": "http://nas.EXAMPLE:80/"}
    await refused(hass, form, fields, url="already_configured")


async def test_another_path_is_another_server(hass: HomeAssistant) -> None:
    with patch("custom_components.qbittorrent_resilient.forms.async_try_instance", return_value=""):
        fields = {"name": "First", "url": "http://nas.example/one"}
        result = await submit(hass, await begin(hass), fields)
        form = await choose(hass, result, "instance")
        fields = {"name": "Second", "url": "http://nas.example/two"}
        assert (await submit(hass, form, fields))["type"] is FlowResultType.MENU


async def test_names_are_given_once(
    hass: HomeAssistant, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    fields = all_fields(primary, name="  ")
    result = await refused(hass, await begin(hass), fields, name="name_missing")
    result = await submit(hass, result, entered(primary))
    form = await choose(hass, result, "instance")
    fields = all_fields(secondary, name=" First ")
    result = await refused(hass, form, fields, name="already_configured")
    assert secondary.record.connections == 0
    await finish(hass, await submit(hass, result, all_fields(secondary, name="Second")))


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
    fields = all_fields(primary, name=" ", url="nas", requires_vpn=True)
    errors = {"name": "name_missing", "url": "invalid_url", "requires_vpn": "vpn_required"}
    await refused(hass, await begin(hass), fields, **errors)
