"""What the user is told about stored magnets, and that it goes away again."""

import json
from pathlib import Path
from typing import Any

from freezegun import freeze_time
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.qbittorrent_resilient.const import DOMAIN
from custom_components.qbittorrent_resilient.core.outbox.files import quarantine_name
from tests.support.actions import STORE, add, call, hashes
from tests.support.common import Start, eventually, info_hash, instance, link, settled
from tests.support.fake.server import FakeQBittorrent
from tests.support.repairs import TEXTS, confirm, only, told

KEPT = f"{DOMAIN}.kept"


async def decide(hass: HomeAssistant, option: str) -> tuple[FlowResultType, str | None]:
    """Open the repair for kept magnets and choose from its menu; return how it ends."""
    await async_setup_component(hass, "repairs", {})
    manager = repairs_flow_manager(hass)
    assert manager
    issue = only(hass)
    form = await manager.async_init(DOMAIN, context={"issue_id": issue.issue_id})
    assert (form["type"], form["menu_options"]) == (FlowResultType.MENU, ["keep", "delete"])
    assert form["description_placeholders"] == issue.translation_placeholders
    texts = TEXTS["magnets_kept"]["fix_flow"]
    done = await manager.async_configure(form["flow_id"], {"next_step_id": option})
    ended = done.get("reason") or done["description"]
    assert ended in (texts["abort"] | texts["create_entry"])
    return done["type"], ended


def restarted(hass: HomeAssistant) -> None:
    """Have the issues as they are after a restart: only those that persist."""
    for issue in told(hass):
        if not issue.is_persistent:
            ir.async_delete_issue(hass, issue.domain, issue.issue_id)


def kept_file(hass: HomeAssistant, issue: ir.IssueEntry) -> Path:
    """Return the file that an issue names."""
    assert issue.translation_placeholders
    name = issue.translation_placeholders["file"]
    assert issue.data == {"file": name}
    assert name.startswith(".storage/")  # the whole path would get into the diagnostics
    return Path(hass.config.path(name))


def write(folder: Path, content: str, name: str = STORE) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content)


def files(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir() if DOMAIN in one.name}


def stored(magnets: Any, version: int = 1) -> str:
    data = {"revision": 1, "magnets": magnets}
    return json.dumps({"version": version, "minor_version": 1, "key": STORE, "data": data})


DAMAGED = {"broken": '{"version": 1, "data', "not ours": stored(5), "empty": ""}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
async def test_damaged_file(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    content: str,
) -> None:
    """Told once, with the place; it goes away once it is read."""
    write(storage_folder, content)
    entry = await start(instance("first", primary))
    issue = only(hass)
    assert issue.severity is ir.IssueSeverity.ERROR
    kept = kept_file(hass, issue)
    assert kept.parent == storage_folder
    assert kept.read_text() == content
    assert (await add(hass, link(1)))["added"]
    await hass.config_entries.async_reload(entry.entry_id)
    assert only(hass).issue_id == issue.issue_id
    await confirm(hass, only(hass))
    assert told(hass) == []
    await hass.config_entries.async_reload(entry.entry_id)
    assert told(hass) == []
    assert kept.read_text() == content


async def test_told_again_after_a_restart_until_the_file_is_gone(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    write(storage_folder, "{")
    entry = await start(instance("first", primary))
    issue = only(hass)
    await hass.config_entries.async_unload(entry.entry_id)
    restarted(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert only(hass).translation_placeholders == issue.translation_placeholders
    kept_file(hass, issue).unlink()
    await hass.config_entries.async_reload(entry.entry_id)
    assert told(hass) == []


async def test_told_again_if_killed_before_the_repair_was_stored(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    """Home Assistant stores a repair seconds later; once it is confirmed, that is for good."""
    write(storage_folder, "{")
    entry = await start(instance("first", primary))
    issue = only(hass)
    for confirmed in (False, True):
        await hass.config_entries.async_unload(entry.entry_id)
        ir.async_delete_issue(hass, DOMAIN, issue.issue_id)
        await hass.config_entries.async_setup(entry.entry_id)
        if confirmed:
            assert told(hass) == []
        else:
            assert only(hass).issue_id == issue.issue_id
            await confirm(hass, only(hass))
    assert kept_file(hass, issue).read_text() == "{"


async def test_two_damaged_files_are_both_kept(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    write(storage_folder, "first")
    entry = await start(instance("first", primary))
    await hass.config_entries.async_unload(entry.entry_id)
    write(storage_folder, "second")
    await hass.config_entries.async_setup(entry.entry_id)
    kept = [kept_file(hass, one).read_text() for one in told(hass)]
    assert kept == ["first", "second"]


def test_kept_files_have_names_of_their_own(tmp_path: Path) -> None:
    """Even in the same instant: a clock may stand still, or be set back."""
    with freeze_time("2026-01-01"):
        names = set()
        for _ in range(3):
            names.add(name := quarantine_name(tmp_path / STORE))
            name.touch()
    assert len(names) == 3


async def test_damaged_journal(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    """What the damaged line said cannot be known: the user is told, and the file is kept."""
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, *(link(number) for number in range(1, 101)))
    for number in range(101, 104):
        await add(hass, link(number))
    assert await hass.config_entries.async_unload(entry.entry_id)
    journal = storage_folder / f"{STORE}.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    (hit,) = [number for number, line in enumerate(lines) if link(102).encode() in line]
    lines[hit] = lines[hit].replace(b"queued", b"qu3ued")
    journal.write_bytes(b"".join(lines))
    await hass.config_entries.async_setup(entry.entry_id)
    queue = hashes((await call(hass, "get_queue"))["queued"])
    assert queue == [info_hash(number) for number in range(1, 104) if number != 102]
    await eventually(lambda: told(hass))
    kept = kept_file(hass, only(hass))
    assert kept.read_bytes() == b"".join(lines)
    assert kept.name.startswith(f"{journal.name}.corrupt.")
    assert not journal.exists()


@pytest.mark.parametrize("part", ["hash", "name", "wish"])
async def test_flipped_bit(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent, part: str
) -> None:
    """In a link, or in where it may go: that magnet is not delivered, all others are."""
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, *(link(number) for number in range(1, 5)), category="films", require_vpn=False)
    assert await hass.config_entries.async_unload(entry.entry_id)
    content = (storage_folder / STORE).read_bytes()
    old = {"hash": f"btih:{info_hash(2)}", "name": "Torrent+2", "wish": '"films"'}[part].encode()
    at = content.index(old, content.index(f'"{info_hash(2)}"'.encode())) + len(old) - 2
    damaged = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    (storage_folder / STORE).write_bytes(damaged)
    await primary.listen()
    await hass.config_entries.async_setup(entry.entry_id)
    others = {info_hash(number) for number in (1, 3, 4)}
    await eventually(lambda: primary.hashes == others)
    await settled(hass)
    issue = only(hass)
    assert issue.translation_key == "queue_unreadable"
    assert kept_file(hass, issue).read_bytes() == damaged
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert only(hass).issue_id == issue.issue_id
    assert primary.hashes == others


async def test_files_of_different_moments(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    """An older file beside a newer journal: what both say is owed, and it is told."""
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1))
    older = (storage_folder / STORE).read_bytes()
    await add(hass, link(2))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await add(hass, link(3))
    assert await hass.config_entries.async_unload(entry.entry_id)
    journal = storage_folder / f"{STORE}.journal"
    newer = journal.read_bytes()
    (storage_folder / STORE).write_bytes(older)
    await hass.config_entries.async_setup(entry.entry_id)
    assert hashes((await call(hass, "get_queue"))["queued"]) == [info_hash(1), info_hash(3)]
    assert kept_file(hass, only(hass)).read_bytes() == newer


@pytest.mark.usefixtures("clock")
async def test_damaged_file_of_a_removed_entry(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(1), link(2), require_vpn=False)
    await hass.config_entries.async_remove(entry.entry_id)
    damaged = (storage_folder / KEPT).read_bytes().replace(b"Torrent+1", b"Uorrent+1")
    (storage_folder / KEPT).write_bytes(damaged)
    entry = await start(instance("first", primary))
    assert hashes((await call(hass, "get_queue"))["queued"]) == [info_hash(2)]
    ir.async_delete_issue(hass, DOMAIN, only(hass).issue_id)
    await hass.config_entries.async_reload(entry.entry_id)
    assert kept_file(hass, only(hass)).read_bytes() == damaged
    assert not (storage_folder / KEPT).exists()


async def test_newer_version(
    hass: HomeAssistant, storage_folder: Path, primary: FakeQBittorrent
) -> None:
    content = stored({}, version=2)
    write(storage_folder, content)
    entry = MockConfigEntry(
        domain=DOMAIN,
        entry_id="hub",
        data={"vpn_targets": []},
        subentries_data=[instance("first", primary)],
    )
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup("hub")
    assert entry.state is ConfigEntryState.SETUP_ERROR
    issue = only(hass)
    assert (issue.translation_key, issue.is_fixable) == ("queue_too_new", False)
    assert (storage_folder / STORE).read_text() == content
    write(storage_folder, stored({}))  # stands for the version that can read it
    assert await hass.config_entries.async_reload("hub")
    assert told(hass) == []
    await settled(hass)


async def test_newer_version_and_removed(
    hass: HomeAssistant, storage_folder: Path, primary: FakeQBittorrent
) -> None:
    """What this version cannot read it does not delete."""
    content = stored({}, version=2)
    write(storage_folder, content)
    entry = MockConfigEntry(domain=DOMAIN, entry_id="hub", data={"vpn_targets": []})
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup("hub")
    await hass.config_entries.async_remove("hub")
    issue = only(hass)
    assert issue.translation_placeholders == {"file": f".storage/{STORE}"}
    assert (storage_folder / STORE).read_text() == content


async def test_unreadable_magnets(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    good = {"link": link(1), "stage": "queued", "queued_at": 2e9}
    bad = {"link": link(2), "stage": "dreaming", "queued_at": 2e9}
    magnets = {info_hash(1): good, info_hash(2): bad, info_hash(3): 5}
    write(storage_folder, stored(magnets))
    entry = await start(instance("first", primary))
    issue = only(hass)
    assert issue.translation_key == "magnets_unreadable"
    assert issue.translation_placeholders == {"count": "2"}
    await eventually(lambda: primary.hashes == {info_hash(1)})
    await settled(hass)
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert only(hass).translation_placeholders == {"count": "2"}
    assert await hass.config_entries.async_unload(entry.entry_id)
    write(storage_folder, stored({info_hash(2): bad | {"stage": "queued"}}))
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert told(hass) == []


async def removed(hass: HomeAssistant, start: Start, server: FakeQBittorrent) -> None:
    """Remove an entry that still owes one queued and one failed magnet."""
    entry = await start(instance("first", server))
    server.torrents.never_listed = {info_hash(2)}
    assert (await add(hass, link(2)))["failed"]
    await server.refuse()
    assert (await add(hass, link(1), category="mine", require_vpn=False))["queued"]
    await hass.config_entries.async_remove(entry.entry_id)


@pytest.mark.usefixtures("clock")
async def test_removed_with_magnets_waiting(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They are kept, told of, and delivered once the integration is set up again."""
    await removed(hass, start, primary)
    assert files(storage_folder) == {KEPT}
    assert (storage_folder / KEPT).stat().st_mode & 0o777 == 0o600
    assert "2 magnets still waiting" in caplog.text
    issue = only(hass)
    assert issue.translation_key == "magnets_kept"
    assert issue.translation_placeholders == {"count": "2"}
    restarted(hass)
    assert only(hass).translation_placeholders == {"count": "2"}
    await secondary.refuse()
    entry = await start(instance("second", secondary))
    assert told(hass) == []
    assert files(storage_folder) == {STORE}
    queue = await call(hass, "get_queue")
    assert (hashes(queue["queued"]), hashes(queue["failed"])) == ([info_hash(1)], [info_hash(2)])
    await secondary.listen()
    await hass.config_entries.async_reload(entry.entry_id)
    await eventually(lambda: secondary.hashes == {info_hash(1)})
    assert [one.category for one in secondary.torrents] == ["mine"]
    await settled(hass)


async def test_removed_with_a_journal(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, *(link(number) for number in range(1, 101)))
    await add(hass, link(101))
    assert files(storage_folder) == {STORE, f"{STORE}.journal"}
    await hass.config_entries.async_remove(entry.entry_id)
    assert files(storage_folder) == {KEPT}
    assert only(hass).translation_placeholders == {"count": "101"}


@pytest.mark.usefixtures("clock")
async def test_removed_twice(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    """What is kept already stays, though the second entry could not take it over."""
    await removed(hass, start, primary)
    first = (storage_folder / KEPT).read_text()
    (storage_folder / KEPT).unlink()
    await primary.listen()
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(3))
    (storage_folder / KEPT).write_text(first)
    await hass.config_entries.async_remove(entry.entry_id)
    kept = json.loads((storage_folder / KEPT).read_text())["data"]["magnets"]
    assert set(kept) == {info_hash(1), info_hash(2), info_hash(3)}
    assert only(hass).translation_placeholders == {"count": "3"}


@pytest.mark.usefixtures("clock")
async def test_kept_magnets_can_be_deleted(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    """Without an entry, too: then nothing of the integration runs."""
    await removed(hass, start, primary)
    assert await decide(hass, "delete") == (FlowResultType.CREATE_ENTRY, "deleted")
    assert told(hass) == []
    assert files(storage_folder) == set()
    await primary.listen()
    await start(instance("first", primary))
    assert await call(hass, "get_queue") == {"queued": [], "failed": []}


@pytest.mark.usefixtures("clock")
async def test_kept_magnets_that_cannot_be_deleted(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    """The user is told so, and may try again."""
    await removed(hass, start, primary)
    issue = only(hass)
    file = storage_folder / KEPT
    file.rename(storage_folder / "away")
    file.mkdir()
    assert await decide(hass, "delete") == (FlowResultType.ABORT, "not_deleted")
    assert only(hass) == issue
    file.rmdir()
    assert await decide(hass, "delete") == (FlowResultType.CREATE_ENTRY, "deleted")
    assert told(hass) == []


@pytest.mark.usefixtures("clock")
async def test_kept_magnets_stay_kept(
    hass: HomeAssistant,
    storage_folder: Path,
    start: Start,
    primary: FakeQBittorrent,
    secondary: FakeQBittorrent,
) -> None:
    """Where the user wants that, nothing is asked any more; what was decided can be undone."""
    await removed(hass, start, primary)
    content = (storage_folder / KEPT).read_text()
    assert await decide(hass, "keep") == (FlowResultType.ABORT, "kept")
    assert only(hass).dismissed_version is not None
    assert (storage_folder / KEPT).read_text() == content
    await start(instance("second", secondary))
    assert told(hass) == []
    await eventually(lambda: secondary.hashes == {info_hash(1)})
    await settled(hass)


@pytest.mark.usefixtures("clock")
async def test_more_magnets_are_kept_than_the_user_knows_of(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    await removed(hass, start, primary)
    await decide(hass, "keep")
    first = (storage_folder / KEPT).read_text()
    (storage_folder / KEPT).unlink()
    await primary.listen()
    entry = await start(instance("first", primary))
    await primary.refuse()
    await add(hass, link(3))
    (storage_folder / KEPT).write_text(first)
    await hass.config_entries.async_remove(entry.entry_id)
    issue = only(hass)
    assert (issue.translation_placeholders, issue.dismissed_version) == ({"count": "3"}, None)


async def test_removed_with_nothing_waiting(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    """What is on a server is not owed any more, even if it has not settled."""
    entry = await start(instance("first", primary))
    assert (await add(hass, link(1)))["added"]
    assert STORE in files(storage_folder)
    await hass.config_entries.async_remove(entry.entry_id)
    assert files(storage_folder) == set()
    assert told(hass) == []


async def test_where_it_may_be_means_nothing_to_another_entry(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    record = {"link": link(1), "stage": "queued", "queued_at": 2e9, "attempts": 3}
    gone = {"sent_to": "gone", "sent_at": 2e9, "suspects": ["gone"], "unsaved": True}
    write(storage_folder, stored({info_hash(1): record | gone}))
    entry = MockConfigEntry(domain=DOMAIN, entry_id="hub", data={"vpn_targets": []})
    entry.add_to_hass(hass)
    await hass.config_entries.async_remove("hub")
    kept = json.loads((storage_folder / KEPT).read_text())["data"]["magnets"]
    assert kept == {info_hash(1): record}
    await start(instance("first", primary))
    await eventually(lambda: primary.hashes == {info_hash(1)})
    await settled(hass)


async def test_damaged_kept_magnets(
    hass: HomeAssistant, storage_folder: Path, start: Start, primary: FakeQBittorrent
) -> None:
    write(storage_folder, "{", KEPT)
    await start(instance("first", primary))
    assert only(hass).translation_key == "queue_unreadable"
    (kept,) = files(storage_folder)
    assert kept.startswith(f"{KEPT}.corrupt.")
