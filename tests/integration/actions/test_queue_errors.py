"""What the actions around the queue refuse, and what they leave as it was."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from tests.support.actions import add, call, call_silently, hashes
from tests.support.common import FakeClock, Start, info_hash, instance, link
from tests.support.disk_faults import disk_full
from tests.support.fake.server import FakeQBittorrent


async def _with_failed(hass: HomeAssistant, server: FakeQBittorrent, *numbers: int) -> None:
    """Put magnets on the failed list."""
    server.torrents.never_listed = {info_hash(one) for one in numbers}
    await add(hass, *(link(one) for one in numbers))
    server.torrents.never_listed = set()


MALFORMED: list[dict[str, Any]] = [
    {},
    {"info_hashes": [], "all": True},
    {"all": False},
    {"info_hashes": [info_hash(1)], "all": True},
    {"all": "perhaps"},
    {"info_hashes": [{"a": 1}]},
    {"all": True, "list": "wrong"},
]


@pytest.mark.parametrize("action", ["remove_magnets", "retry_failed"])
async def test_neither_or_both_is_an_error(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock, action: str
) -> None:
    await start(instance("first", primary))
    await _with_failed(hass, primary, 9)
    await primary.refuse()
    await add(hass, link(1))
    for given in MALFORMED:
        with pytest.raises(ServiceValidationError):
            await call(hass, action, **given)
    left = await call(hass, "get_queue")
    assert (hashes(left["queued"]), hashes(left["failed"])) == ([info_hash(1)], [info_hash(9)])


@pytest.mark.parametrize("action", ["get_queue", "check_health"])
async def test_only_for_their_response(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, action: str
) -> None:
    await start(instance("first", primary))
    with pytest.raises(ServiceValidationError):
        await call_silently(hass, action)


@pytest.mark.parametrize("action", ["retry_queue", "get_queue", "check_health"])
async def test_actions_without_fields_take_none(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, action: str
) -> None:
    await start(instance("first", primary))
    with pytest.raises(ServiceValidationError):
        await call(hass, action, now=True)


@pytest.mark.parametrize(
    ("action", "list_name"), [("remove_magnets", "queued"), ("retry_failed", "failed")]
)
async def test_nothing_is_claimed_that_could_not_be_written(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    clock: FakeClock,
    action: str,
    list_name: str,
) -> None:
    await start(instance("first", primary))
    await _with_failed(hass, primary, 9)
    await primary.refuse()
    await add(hass, link(1))
    before = await call(hass, "get_queue")
    with (
        disk_full(),
        pytest.raises(HomeAssistantError),
    ):
        await call(hass, action, all=True)
    after = await call(hass, "get_queue")
    assert hashes(after[list_name]) == hashes(before[list_name])
