"""Everything that the form of an instance can object to; each time the same flow recovers."""

import asyncio
from collections.abc import Callable
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest

from tests.support.common import TARGET, eventually, pass_time
from tests.support.fake.dialect import V5_3, Dialect
from tests.support.fake.faults import Fault, Faults
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import all_fields, begin, finish, refused, shown, submit

pytestmark = pytest.mark.usefixtures("socket_enabled", "vpn")


async def test_cannot_connect(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    form = await begin(hass, (TARGET,))
    await primary.refuse()
    result = await refused(hass, form, all_fields(primary), base="cannot_connect")
    await primary.listen()
    await finish(hass, await submit(hass, result, shown(result)))


async def test_cut_off(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    fault = primary.faults.cut()
    result = await refused(hass, await begin(hass), all_fields(primary), base="cannot_connect")
    fault.clear()
    await finish(hass, await submit(hass, result, shown(result)))


@pytest.mark.usefixtures("names")
async def test_unknown_host(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    fields = all_fields(primary, url="http://no-such-host.invalid:8080")
    result = await refused(hass, await begin(hass), fields, base="cannot_connect")
    await finish(hass, await submit(hass, result, all_fields(primary)))


async def test_timeout(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    form = await begin(hass)
    primary.freeze()
    waiting = asyncio.create_task(refused(hass, form, all_fields(primary), base="timeout"))
    await eventually(lambda: primary.requests)
    assert not waiting.done()
    pass_time(hass, 11)
    result = await waiting
    await primary.thaw()
    await finish(hass, await submit(hass, result, shown(result)))


@pytest.mark.usefixtures("refused_handshakes")
@pytest.mark.parametrize("https", [True, False], ids=["self-signed", "not TLS at all"])
async def test_ssl_error(hass: HomeAssistant, https: bool) -> None:
    async with FakeQBittorrent(V5_3, https=https) as server:
        secure = server.url.replace("http://", "https://")
        form = await begin(hass)
        result = await refused(hass, form, all_fields(server, url=secure), base="ssl_error")
        assert not server.requests
        fields = all_fields(server, verify_ssl=False)
        await finish(hass, await submit(hass, result, fields))


async def test_invalid_auth(hass: HomeAssistant, dialect: Dialect) -> None:
    async with FakeQBittorrent(dialect) as server:
        form = await begin(hass)
        fields = all_fields(server, password="wrong")
        result = await refused(hass, form, fields, base="invalid_auth")
        assert len(server.logins) == 1
        fields = all_fields(server, username="", password="")
        result = await refused(hass, result, fields, base="invalid_auth")
        assert len(server.logins) == 1
        await finish(hass, await submit(hass, result, all_fields(server)))


async def test_banned(hass: HomeAssistant, dialect: Dialect) -> None:
    async with FakeQBittorrent(dialect) as server:
        server.ban()
        result = await refused(hass, await begin(hass), all_fields(server), base="banned")
        server.clear_bans()
        await finish(hass, await submit(hass, result, shown(result)))


@pytest.mark.usefixtures("names")
async def test_host_rejected(hass: HomeAssistant, dialect: Dialect) -> None:
    async with FakeQBittorrent(dialect) as server:
        server.settings.server_domains = "seedbox.example"
        fields = all_fields(server, url=server.url.replace("127.0.0.1", "localhost"))
        result = await refused(hass, await begin(hass), fields, base="host_rejected")
        assert not server.logins
        server.settings.server_domains = "localhost"
        await finish(hass, await submit(hass, result, shown(result)))


async def test_port_mapping_needs_nothing(hass: HomeAssistant, dialect: Dialect) -> None:
    async with FakeQBittorrent(dialect, own_port=8080) as server:
        await finish(hass, await submit(hass, await begin(hass), all_fields(server)))


NOT_QBITTORRENT: dict[str, Callable[[Faults], Fault]] = {
    "a proxy's log-in": lambda faults: faults.login_page(),
    "a proxy's log-in, 401": lambda faults: faults.answer(401, "<html>", "text/html"),
    "a proxy's log-in, 403": lambda faults: faults.answer(403, "<html>", "text/html"),
    "nothing": lambda faults: faults.answer(200, b""),
    "JSON": lambda faults: faults.answer(200, '{"version": "5.0.0"}', "application/json"),
    "10 MB": lambda faults: faults.huge(),
    "elsewhere": lambda faults: faults.redirect("/login"),
    "a gateway": lambda faults: faults.answer(502, "<html>Bad Gateway", "text/html"),
    "404": lambda faults: faults.answer(404, "Not Found"),
    "no version": lambda faults: faults.answer(200, "hello"),
    "binary": lambda faults: faults.answer(200, b"\xff\x00\xfe"),
    "transfer: not JSON": lambda faults: faults.answer(200, "Ok.", endpoint="transfer/info"),
    "transfer: a list": lambda faults: faults.answer(200, "[]", endpoint="transfer/info"),
    "transfer: a number": lambda faults: faults.answer(
        200, '{"connection_status": 5}', endpoint="transfer/info"
    ),
    "log: other form": lambda faults: faults.answer(200, '[{"id": "x"}]', endpoint="log/main"),
    "log-in: a page": lambda faults: faults.login_page("auth/login"),
    "log-in that does not last": lambda faults: faults.answer(
        403, "Forbidden", endpoint="transfer/info"
    ),
}


async def test_not_qbittorrent(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    result = await begin(hass)
    for name, inject in NOT_QBITTORRENT.items():
        fault = inject(primary.faults)
        result = await refused(hass, result, all_fields(primary), base="not_qbittorrent")
        assert fault.hits, name
        fault.clear()
    await finish(hass, await submit(hass, result, shown(result)))


async def test_redirects_are_not_followed(
    hass: HomeAssistant, primary: FakeQBittorrent, secondary: FakeQBittorrent
) -> None:
    primary.faults.redirect(f"{secondary.url}/api/v2/app/version")
    await refused(hass, await begin(hass), all_fields(primary), base="not_qbittorrent")
    assert not secondary.requests


async def test_unknown(
    hass: HomeAssistant, primary: FakeQBittorrent, caplog: pytest.LogCaptureFixture
) -> None:
    form = await begin(hass)
    with patch(
        "custom_components.qbittorrent_resilient.flows.connection_test.Client.vitals",
        side_effect=RuntimeError("a bug"),
    ):
        result = await refused(hass, form, all_fields(primary), base="unknown")
    assert "Unexpected error in the trial of First" in caplog.text
    await finish(hass, await submit(hass, result, shown(result)))


async def test_no_secret_in_the_log(
    hass: HomeAssistant, primary: FakeQBittorrent, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    form = await begin(hass)
    for fields in (
        all_fields(primary, password="swordfish"),
        all_fields(primary, api_key="qbt_swordfish"),
        all_fields(primary, url="http://admin:swordfish@127.0.0.1"),
    ):
        form = await submit(hass, form, fields)
        assert form["errors"]
    ours = [one for one in caplog.records if "qbittorrent_resilient" in one.name]
    assert ours
    assert not [one for one in ours if "swordfish" in one.getMessage()]
