"""Web links that wait or have failed: over restarts, removed, tried again, and shown nowhere."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.qbittorrent_resilient.const import DOMAIN
from tests.support.actions import add, again, call, call_silently, hashes, queue, reasons, sent
from tests.support.canaries import NAME, SECRET, Ears, assert_silent
from tests.support.common import (
    FakeClock,
    Start,
    eventually,
    first_and_second,
    info_hash,
    instance,
    link,
    settled,
)
from tests.support.fake.server import FakeQBittorrent
from tests.support.torrents import torrent
from tests.support.web_host import LOGIN_PAGE, WebHost

ON = {"fetch_links": True}


async def test_waits_over_a_restart(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, host: WebHost
) -> None:
    entry = await start(instance("first", primary), options=ON)
    url = host.give("/a?b", status=500)
    await add(hass, host.give("/a", status=500), tags=["x"])
    assert url
    host.redirect("/a", link(1))
    await again(hass, entry)
    await eventually(lambda: sent(primary) == [info_hash(1)])
    await settled(hass)
    assert await queue(hass) == {"queued": [], "failed": []}
    assert primary.requests_to("torrents/add")[0].form["tags"] == "x"


async def test_option_taken_back(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, host: WebHost
) -> None:
    """What waits is kept, and not fetched until the option is on again."""
    entry = await start(instance("first", primary), options=ON)
    await add(hass, host.give("/a", status=500))
    host.redirect("/a", link(1))
    hass.config_entries.async_update_entry(entry, options={})
    await settled(hass)
    await eventually(lambda: not entry.runtime_data.dispatcher.links.are_fetched)
    await call(hass, "retry_queue")
    assert reasons((await queue(hass))["queued"]) == [(None, "a", "web_link")]
    assert host.asked("/a") == 1
    with pytest.raises(ServiceValidationError, match="fetch_links"):
        await add(hass, host.url("/a"))
    hass.config_entries.async_update_entry(entry, options=ON)
    await eventually(lambda: sent(primary) == [info_hash(1)])


async def test_remove_and_retry(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, host: WebHost
) -> None:
    await start(instance("first", primary), options=ON)
    await add(hass, host.give("/a", status=500), host.give("/b", LOGIN_PAGE))
    assert await call(hass, "remove_magnets", all=True) == {"removed": [None]}
    assert (await queue(hass))["queued"] == []
    host.redirect("/b", link(2))
    response = await call(hass, "retry_failed", all=True)
    assert reasons(response["queued"]) == [(None, "b", "fetch")]
    await eventually(lambda: sent(primary) == [info_hash(2)])
    await add(hass, host.give("/c", LOGIN_PAGE))
    assert await call(hass, "remove_magnets", all=True, list="failed") == {"removed": [None]}
    await settled(hass)
    assert await queue(hass) == {"queued": [], "failed": []}


async def test_expires(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    host: WebHost,
    clock: FakeClock,
) -> None:
    entry = await start(instance("first", primary), options=ON | {"queue_expiry": 1})
    await add(hass, host.give("/a", status=500))
    clock.tick(86_401)
    await entry.runtime_data.dispatcher.links._look()
    assert reasons((await queue(hass))["failed"]) == [(None, "a", "expired")]


async def test_most_downloads(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, host: WebHost
) -> None:
    await start(instance("first", primary), options=ON)
    first, second = host.redirect("/1", link(1)), host.redirect("/3", link(3))
    response = await add(hass, first, link(2), second, link(4), max_downloads=2)
    assert {*hashes(response["added"])} == {info_hash(1), info_hash(2)}
    skipped = [(one["info_hash"], one["name"]) for one in response["skipped"]]
    assert skipped == [(info_hash(4), "Torrent 4"), (None, "3")]
    assert not host.asked("/3")


async def test_waits_for_a_server(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    host: WebHost,
) -> None:
    """Once its hash is known, what a link led to is queued like any magnet."""
    primary.faults.cut()
    secondary.faults.cut()
    await start(*first_and_second(primary, secondary), options=ON)
    response = await add(hass, host.redirect("/a", link(1)))
    assert [one["info_hash"] for one in response["queued"]] == [info_hash(1)]
    assert hashes((await queue(hass))["queued"]) == [info_hash(1)]


async def test_nothing_secret_is_seen(
    hass: HomeAssistant,
    names: None,
    start: Start,
    primary: FakeQBittorrent,
    host: WebHost,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither queries nor credentials of links, nor where they lead, wherever one looks."""
    caplog.set_level("DEBUG")
    ears = Ears(hass, caplog)
    entry = await start(instance("first", primary), options=ON)

    def secret(url: str) -> str:
        return f"{url.replace('http://', f'http://me:{SECRET}@')}?passkey={SECRET}&x={SECRET}"

    given = [
        secret(host.give(f"/{NAME}-1", status=500)),
        secret(host.give(f"/{NAME}-2", LOGIN_PAGE)),
        secret(host.redirect(f"/{NAME}-3", f"file:///{SECRET}")),
        secret(host.redirect(f"/{NAME}-4", f"http://{SECRET}.example/{SECRET}")),
        secret(host.redirect(f"/{NAME}-5", link(1, name=NAME, extra=f"&tr=udp://{SECRET}"))),
        secret(f"http://169.254.169.254/{NAME}-6"),
        f"http://me:{SECRET}@[/x?{SECRET}",
    ]
    said: list[Any] = [await add(hass, *given)]
    said += [await queue(hass), await call(hass, "retry_queue")]
    try:
        await call_silently(hass, "add_magnets", magnets=given[1:3])
    except HomeAssistantError as err:
        said.append(err)
    await again(hass, entry)
    await settled(hass)
    own = [one for one in caplog.records if one.name == "aiohttp.access"]
    for record in own:
        caplog.records.remove(record)
    assert len(said) == 4
    assert_silent(ears, said)


async def test_named_by_the_link(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, host: WebHost
) -> None:
    """It has no info-hash, so it goes by what the user gave."""
    await start(instance("first", primary), options=ON)
    kept = host.give("/kept", status=500)
    removed = host.give("/removed", status=500) + "?passkey=A&b=%20c"
    failed = [host.give("/again", LOGIN_PAGE) + "?a=1", host.give("/other", LOGIN_PAGE)]
    await add(hass, kept, removed, *failed)
    response = await call(hass, "remove_magnets", info_hashes=[f" {removed} ", "http://", "x"])
    assert response == {"removed": [None]}
    assert reasons((await queue(hass))["queued"]) == [(None, "kept", "fetch")]
    host.redirect("/again", link(3))
    response = await call(hass, "retry_failed", info_hashes=failed[0])
    assert reasons(response["queued"]) == [(None, "again", "fetch")]
    await eventually(lambda: sent(primary) == [info_hash(3)])
    assert reasons((await queue(hass))["failed"]) == [(None, "other", "not_a_torrent")]
    await call(hass, "remove_magnets", info_hashes=failed, list="failed")
    assert (await queue(hass))["failed"] == []


async def test_among_magnets_in_the_order_of_time(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    host: WebHost,
    clock: FakeClock,
) -> None:
    await start(instance("first", primary), options=ON)
    primary.torrents.never_listed = {info_hash(1), info_hash(2)}
    for given in (link(1), host.give("/a", LOGIN_PAGE), link(2), host.give("/b", LOGIN_PAGE)):
        await add(hass, given)
        clock.tick(1)
    failed = (await queue(hass))["failed"]
    assert [one["name"] for one in failed] == ["Torrent 1", "a", "Torrent 2", "b"]
    assert {*failed[0]} == {*failed[1]}


async def test_outlives_its_entry(
    hass: HomeAssistant,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    host: WebHost,
) -> None:
    """A repair counts what waits and what failed; the next set-up fetches and delivers."""
    entry = await start(instance("first", primary), options=ON)
    await add(hass, host.give("/a", status=500), host.give("/b", LOGIN_PAGE), category="mine")
    await hass.config_entries.async_remove(entry.entry_id)
    issues = ir.async_get(hass).issues
    (issue,) = (one for one in issues.values() if one.translation_key == "magnets_kept")
    assert issue.translation_placeholders == {"count": "2"}
    host.give("/a", torrent(1).data)
    await start(instance("second", secondary))  # web links are not fetched there
    waiting = await queue(hass)
    assert reasons(waiting["queued"]) == [(None, "a", "web_link")]
    assert reasons(waiting["failed"]) == [(None, "b", "not_a_torrent")]
    assert issue.issue_id not in {key for _, key in issues}
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    hass.config_entries.async_update_entry(entry, options=ON)
    await eventually(lambda: secondary.hashes == {torrent(1).info_hash})
    assert [one.category for one in secondary.torrents] == ["mine"]
    await settled(hass)
    assert (await queue(hass))["queued"] == []
