"""`add_magnets` with lists as templates and scripts may give them: nothing good is lost."""

import asyncio
from collections.abc import Collection
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from tests.support.actions import call, hashes
from tests.support.common import Start, info_hash, instance, link
from tests.support.fake.server import FakeQBittorrent

LINKS = (link(1), link(2))


@pytest.mark.parametrize(
    "given", [LINKS, {*LINKS}, frozenset(LINKS)], ids=["tuple", "set", "frozen"]
)
async def test_other_collections(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, given: Collection[str]
) -> None:
    """A template that ends in `{{ a, b }}` gives a tuple."""
    await start(instance("first", primary))
    response = await call(hass, "add_magnets", magnets=given)
    assert sorted(hashes(response["added"])) == [info_hash(1), info_hash(2)]
    assert not response["failed"]


@pytest.mark.parametrize("given", [None, 5, {"link": link(1)}, b"magnet:"])
async def test_neither_text_nor_list(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, given: Any
) -> None:
    await start(instance("first", primary))
    with pytest.raises(ServiceValidationError) as raised:
        await call(hass, "add_magnets", magnets=given)
    assert raised.value.translation_key == "malformed_field"


async def test_number_without_end(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """Python refuses to write it; the link beside it is added."""
    await start(instance("first", primary))
    response = await call(hass, "add_magnets", magnets=[10**5000, -(10**5000), 7, link(1)])
    assert hashes(response["added"]) == [info_hash(1)]
    assert [(one["index"], one["text"]) for one in response["failed"]] == [
        (0, "(int)"),
        (1, "(int)"),
        (2, "7"),
    ]


async def test_many_items_without_text(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent
) -> None:
    """Each takes its time, too, in which everything else goes on."""
    await start(instance("first", primary))
    asyncio.get_running_loop().set_debug(False)
    held = 0.0

    async def beat() -> None:
        nonlocal held
        while True:
            begin = time.thread_time()
            await asyncio.sleep(0)
            held = max(held, time.thread_time() - begin)
            await asyncio.sleep(0.002)

    task = asyncio.create_task(beat())
    await asyncio.sleep(0)
    response = await call(hass, "add_magnets", magnets=[*[5] * 30_000, link(1)])
    task.cancel()
    assert (len(response["failed"]), hashes(response["added"])) == (30_000, [info_hash(1)])
    assert held < 0.05
