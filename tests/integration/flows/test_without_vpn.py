"""Without a VPN, no dialog but the first asks about it; what is entered all the same is taken."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
import probatio
import pytest

from tests.support.common import TARGET, Start, instance
from tests.support.fake.server import FakeQBittorrent
from tests.support.flow import Fields, Result, begin, entered, finish, submit
from tests.support.gluetun import FakeGluetun

pytestmark = pytest.mark.usefixtures("vpn")


def asked(form: Result) -> set[str]:
    """Return the names of the fields that the frontend shows."""
    fields: Any = probatio.to_field_list(
        form["data_schema"], custom_serializer=cv.custom_serializer
    )
    return {one["name"] for one in fields if one.get("visible", True)}


async def test_nobody_is_asked_whether_it_is_required(
    hass: HomeAssistant, primary: FakeQBittorrent
) -> None:
    form = await begin(hass)
    assert "requires_vpn" not in asked(form)
    assert {"url", "gluetun", "priority"} <= asked(form)
    result = await finish(hass, await submit(hass, form, entered(primary)))
    (only,) = result["result"].subentries.values()
    assert only.data["requires_vpn"] is False
    form = await _add(hass, result["result"])
    assert "requires_vpn" not in asked(form)


async def test_with_a_target(hass: HomeAssistant) -> None:
    assert "requires_vpn" in asked(await begin(hass, (TARGET,)))


async def test_a_gluetun_is_an_answer(
    hass: HomeAssistant, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    """The server requires the VPN then; later on, that can be changed."""
    typed = {"gluetun_url": gluetun.url, "gluetun_api_key": gluetun.api_key}
    form = await submit(hass, await begin(hass), entered(primary, gluetun=typed))
    result = await finish(hass, form)
    entry = result["result"]
    (only,) = entry.subentries.values()
    assert only.data["requires_vpn"] is True
    form = await _change(hass, entry, only.subentry_id)
    assert "requires_vpn" in asked(form)


async def test_who_says_that_it_is_not_required_is_believed(
    hass: HomeAssistant, primary: FakeQBittorrent, gluetun: FakeGluetun
) -> None:
    """A frontend before 2026.11 shows the field."""
    form = await submit(
        hass, await begin(hass), entered(primary, gluetun=gluetun.fields, requires_vpn=False)
    )
    (only,) = (await finish(hass, form))["result"].subentries.values()
    assert only.data["requires_vpn"] is False


async def test_what_is_required_all_the_same(hass: HomeAssistant, primary: FakeQBittorrent) -> None:
    """The form says what is wrong beside the field, which is there then."""
    form = await submit(hass, await begin(hass), entered(primary, requires_vpn=True))
    assert form["errors"] == {"requires_vpn": "vpn_required"}
    assert "requires_vpn" in asked(form)


@pytest.mark.parametrize(
    "fields",
    [{"requires_vpn": True}, {"gluetun": {"gluetun_url": "http://gluetun.example:8000"}}],
)
async def test_server_that_has_to_do_with_a_vpn(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, fields: Fields
) -> None:
    """Whoever changes it finds the field, though the targets are gone."""
    entry = await start(instance("first", primary, **fields))
    assert "requires_vpn" in asked(await entry.start_subentry_reconfigure_flow(hass, "first"))


async def _add(hass: HomeAssistant, entry: Any) -> Result:
    form: Result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"), context={"source": "user"}
    )
    return form


async def _change(hass: HomeAssistant, entry: Any, subentry_id: str) -> Result:
    form: Result = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "instance"),
        context={"source": "reconfigure", "subentry_id": subentry_id},
    )
    return form
