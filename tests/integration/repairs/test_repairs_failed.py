"""The repair for failed magnets: it names them, and is quiet about what is being tried again."""

from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.errors import StorageError
from custom_components.qbittorrent_resilient.retried import QUIET_SECONDS
from tests.support.actions import add, again, call, hashes, work
from tests.support.common import (
    FakeClock,
    Start,
    info_hash,
    instance,
    link,
    pass_time,
    poll,
    settled,
)
from tests.support.fake.server import FakeQBittorrent
from tests.support.web_host import LOGIN_PAGE, WebHost

ISSUE = "failed_magnets"
ENDED = FlowResultType.CREATE_ENTRY


@pytest.fixture
async def entry(
    hass: HomeAssistant, start: Start, primary: FakeQBittorrent, clock: FakeClock
) -> MockConfigEntry:
    """Return the entry; two magnets have failed."""
    started: MockConfigEntry = await start(
        instance("first", primary), options={"fetch_links": True}
    )
    primary.torrents.never_listed = {info_hash(1), info_hash(2)}
    await add(hass, link(1), link(2), link(3))
    assert told(hass) == "2"
    return started


def told(hass: HomeAssistant) -> str | None:
    """Return how many have failed, as the repair says; None if there is no repair."""
    issue = ir.async_get(hass).async_get_issue(DOMAIN, ISSUE)
    if issue is None or not issue.active:
        return None
    assert issue.translation_placeholders
    assert issue.translation_placeholders.keys() == {"count"}  # no names: it is in diagnostics
    return issue.translation_placeholders["count"]


async def failed(hass: HomeAssistant) -> list[str]:
    return hashes((await call(hass, "get_queue"))["failed"])


async def later(hass: HomeAssistant, clock: FakeClock, seconds: float) -> None:
    clock.tick(seconds)
    pass_time(hass, seconds + 2)
    await settled(hass)


async def opened(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> tuple[Any, Any]:
    """Open the repair as a user does; return what is asked, and how to answer."""
    assert await async_setup_component(hass, "repairs", {})
    client = await hass_client()
    url = "/api/repairs/issues/fix"
    answer = await client.post(url, json={"handler": DOMAIN, "issue_id": ISSUE})
    form = await answer.json()
    assert (form["type"], form["menu_options"]) == (FlowResultType.MENU, ["retry", "discard"])

    async def choose(option: str) -> Any:
        answer = await client.post(f"{url}/{form['flow_id']}", json={"next_step_id": option})
        result = await answer.json()
        await settled(hass)
        return result

    return form["description_placeholders"], choose


async def fix(hass: HomeAssistant, hass_client: ClientSessionGenerator, option: str) -> Any:
    """Click through the repair; return how it ended: its type, and the key of the last text."""
    _, choose = await opened(hass, hass_client)
    result = await choose(option)
    return result["type"], result.get("reason") or result["description"]


async def test_names_them_with_their_reasons(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    host: WebHost,
    clock: FakeClock,
) -> None:
    """In Markdown, in which a name is no markup; web links by the last part of their path."""
    clock.tick(60)
    await add(hass, f"{host.give('/a_b.torrent', LOGIN_PAGE)}?passkey=1")
    placeholders, _ = await opened(hass, hass_client)
    assert placeholders == {
        "count": "3",
        "magnets": (
            r"- a\_b\.torrent: Not a torrent file"
            "\n- Torrent 2: Refused by the server\n- Torrent 1: Refused by the server"
        ),
    }


async def test_names_the_last_ten(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    primary: FakeQBittorrent,
    hass_client: ClientSessionGenerator,
    clock: FakeClock,
) -> None:
    clock.tick(60)
    primary.torrents.never_listed = {info_hash(number) for number in range(11, 20)}
    await add(hass, *(link(number) for number in range(11, 20)))
    placeholders, _ = await opened(hass, hass_client)
    assert placeholders["count"] == "11"
    named = [line[2:].partition(":")[0] for line in placeholders["magnets"].splitlines()]
    assert named == [f"Torrent {number}" for number in (*range(19, 10, -1), 2)]


async def test_tried_again(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    primary: FakeQBittorrent,
    hass_client: ClientSessionGenerator,
) -> None:
    primary.torrents.never_listed = set()
    _, choose = await opened(hass, hass_client)
    result = await choose("retry")
    assert (result["type"], result["description"]) == (ENDED, "retried")
    assert result["description_placeholders"] == {"count": "2", "minutes": "10"}
    assert primary.hashes == {info_hash(number) for number in (1, 2, 3)}
    assert told(hass) is None


async def test_what_fails_again_at_once_is_told_later(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    clock: FakeClock,
) -> None:
    """It is on the failed list at once, but the same repair does not come back seconds later."""
    assert await fix(hass, hass_client, "retry") == (ENDED, "retried")
    await later(hass, clock, 5)
    assert (await failed(hass), told(hass)) == ([info_hash(1), info_hash(2)], None)
    await later(hass, clock, QUIET_SECONDS - 60)
    assert told(hass) is None
    await later(hass, clock, 60)
    assert told(hass) == "2"


async def test_each_retry_begins_it_anew(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    clock: FakeClock,
) -> None:
    """By whichever way: the action and the to-do list, too."""
    await fix(hass, hass_client, "retry")
    await later(hass, clock, QUIET_SECONDS - 60)
    await call(hass, "retry_failed", all=True)
    await settled(hass)
    await later(hass, clock, 120)
    assert (await failed(hass), told(hass)) == ([info_hash(1), info_hash(2)], None)
    await later(hass, clock, QUIET_SECONDS)
    assert told(hass) == "2"


async def test_something_else_that_fails_is_told_at_once(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    primary: FakeQBittorrent,
    hass_client: ClientSessionGenerator,
    clock: FakeClock,
) -> None:
    await fix(hass, hass_client, "retry")
    await later(hass, clock, 5)
    assert told(hass) is None
    primary.torrents.never_listed = {info_hash(number) for number in (1, 2, 4)}
    await add(hass, link(4))
    assert told(hass) == "3"


async def test_one_of_some_that_is_tried_again(
    hass: HomeAssistant, entry: MockConfigEntry, clock: FakeClock
) -> None:
    """The repair about the others stays, and still counts all that have failed."""
    await call(hass, "retry_failed", info_hashes=[info_hash(1)])
    await settled(hass)
    assert (await failed(hass), told(hass)) == ([info_hash(2), info_hash(1)], "2")


async def test_a_retry_that_lasts(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    primary: FakeQBittorrent,
    hass_client: ClientSessionGenerator,
    clock: FakeClock,
) -> None:
    """What waits has not failed; what fails after that, however late, is told."""
    await primary.refuse()
    await fix(hass, hass_client, "retry")
    await later(hass, clock, QUIET_SECONDS + 60)
    assert (await failed(hass), told(hass)) == ([], None)
    await primary.listen()
    await poll(hass)
    await work(entry)
    await settled(hass)
    assert (len(await failed(hass)), told(hass)) == (2, "2")


async def test_discarded_and_added_anew_is_told(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    assert await fix(hass, hass_client, "discard") == (ENDED, "discarded")
    assert (await failed(hass), told(hass)) == ([], None)
    await add(hass, link(1))
    assert told(hass) == "1"


async def test_a_restart_tells_anew(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    await fix(hass, hass_client, "retry")
    assert told(hass) is None
    await again(hass, entry)
    assert told(hass) == "2"


async def test_web_links_are_tried_again(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    host: WebHost,
    clock: FakeClock,
) -> None:
    await call(hass, "remove_magnets", all=True, list="failed")
    await add(hass, host.give("/a.torrent", LOGIN_PAGE))
    assert told(hass) == "1"
    assert await fix(hass, hass_client, "retry") == (ENDED, "retried")
    assert (len(await failed(hass)), told(hass), host.asked("/a.torrent")) == (1, None, 2)
    await later(hass, clock, QUIET_SECONDS)
    assert told(hass) == "1"


async def test_nothing_is_left(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """Somebody else was faster."""
    _, choose = await opened(hass, hass_client)
    await call(hass, "remove_magnets", all=True, list="failed")
    result = await choose("retry")
    assert (result["type"], result["description"]) == (ENDED, "empty")


async def test_entry_that_does_not_run(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    await hass.config_entries.async_unload(entry.entry_id)
    placeholders, choose = await opened(hass, hass_client)
    assert placeholders == {"count": "2", "magnets": "- ?"}
    result = await choose("retry")
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "not_done")
    assert told(hass) == "2"
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert told(hass) == "2"  # it did not run
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await settled(hass)
    assert told(hass) == "2"
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    assert told(hass) is None


@pytest.mark.parametrize("option", ["retry", "discard"])
async def test_queue_that_cannot_be_written(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
) -> None:
    monkeypatch.setattr(entry.runtime_data.dispatcher._outbox, "_closed", True)
    assert await fix(hass, hass_client, option) == (FlowResultType.ABORT, "not_done")
    assert told(hass) == "2"


@pytest.mark.parametrize("option", ["retry", "discard"])
@pytest.mark.parametrize("file", ["magnets", "links"])
async def test_only_one_of_two_files_can_be_written(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    host: WebHost,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    option: str,
) -> None:
    """Home Assistant deletes the repair as soon as it has ended; what still failed is told anew."""
    await add(hass, host.give("/a.torrent", LOGIN_PAGE))
    assert told(hass) == "3"
    dispatcher = entry.runtime_data.dispatcher
    outbox = dispatcher._outbox if file == "magnets" else dispatcher.links._outbox
    monkeypatch.setattr(outbox, "_closed", True)
    result = await fix(hass, hass_client, option)
    assert result == (ENDED, "retried" if option == "retry" else "discarded")
    left = await failed(hass)
    assert len(left) >= 1
    assert told(hass) == str(len(left))


@pytest.mark.parametrize("option", ["retry", "discard"])
async def test_the_queue_is_looked_at_while_it_is_written_in_vain(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
) -> None:
    """What seemed to be dealt with for a moment is on the failed list again, and in the repair."""
    dispatcher = entry.runtime_data.dispatcher

    async def fail(*_: object) -> None:
        dispatcher._publish_snapshot()
        assert told(hass) is None
        raise StorageError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(dispatcher._outbox._store, "commit", fail)
        assert await fix(hass, hass_client, option) == (FlowResultType.ABORT, "not_done")
    assert told(hass) == "2"
    assert hass.states.is_state("sensor.qbittorrent_resilient_failed_magnets", "2")
