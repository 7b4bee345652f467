"""A queue that version 0.1 stored: later versions read it, know what it means, and write it alike.

`tests/data/stored_queue_0_1` has every stage and reason, hybrid and v2 magnets, suspects, a record
that no version has written, and a journal whose last line was torn by a loss of power.
"""

import json
from pathlib import Path
import shutil

from homeassistant.core import HomeAssistant
import pytest

from custom_components.qbittorrent_resilient.core.outbox.job import Job, Stage
from custom_components.qbittorrent_resilient.core.outbox.journal import Journal, encode
from custom_components.qbittorrent_resilient.core.outbox.outbox import Outbox
from custom_components.qbittorrent_resilient.core.outbox.record import from_record, to_record
from custom_components.qbittorrent_resilient.core.qbittorrent.incarnation import Incarnation
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from custom_components.qbittorrent_resilient.core.reconciliation.maintenance import recover
from custom_components.qbittorrent_resilient.storage.queue_storage import QueueStorage
from tests.support.common import info_hash

OLD = Path(__file__).parents[2] / "data" / "stored_queue_0_1"
FILE = "qbittorrent_resilient.hub"
T = 1_790_000_000.0
V2 = "cd" * 32
STATUSES = (
    "ok",
    "vpn_down",
    "unreachable",
    "timeout",
    "auth_failed",
    "banned",
    "host_rejected",
    "ssl_error",
    "disconnected",
    "not_saving",
    "error",
)
QUEUED = {
    1: "",
    2: "",
    **{4 + number: status for number, status in enumerate(STATUSES)},
    15: "no_instance",
    16: "uncertain",
    17: "",
    18: "",
    19: "timeout",
    20: "",
    0x259: "",
    0x25A: "vpn_down",
}
"""Number and stored reason of what is queued; beside these, three of other kinds."""
FAILED = {
    28: "rejected",
    29: "expired",
    30: "uncertain",
    31: "no_instance",
    **{32 + number: status for number, status in enumerate(STATUSES)},
    43: "expired",
}
SETTLING = {21, 22, 23, 24, 25, 0x258}
WATCHED = {26, 27}
DISCLAIMED = {44}
HYBRID, NAMELESS = 45, 46


@pytest.fixture
async def outbox(hass: HomeAssistant, storage_folder: Path) -> Outbox:
    """Return what the code of today reads."""
    shutil.copytree(OLD, storage_folder)
    outbox = Outbox(QueueStorage(hass, "hub"))
    await outbox.load()
    return outbox


def numbers(jobs: list[Job]) -> set[int]:
    """Return the numbers of magnets that have a v1 hash."""
    return {int(job.info_hash, 16) for job in jobs if len(job.info_hash) == 40}


def job(outbox: Outbox, number: int) -> Job:
    """Return the job of the magnet number so-and-so, which must be there."""
    found = outbox.get(info_hash(number))
    assert found is not None
    return found


def test_every_stage_and_what_is_torn(outbox: Outbox) -> None:
    queued = outbox.at(Stage.QUEUED)
    assert numbers(queued) == {*QUEUED, HYBRID, NAMELESS}
    assert [one.info_hash for one in queued if len(one.info_hash) == 64] == [V2]
    assert numbers(outbox.at(Stage.FAILED)) == {*FAILED}
    assert numbers(outbox.at(Stage.SETTLING)) == SETTLING
    assert numbers(outbox.at(Stage.DUPLICATE_CHECK)) == WATCHED
    assert numbers(outbox.at(Stage.TOMBSTONE)) == DISCLAIMED
    # dropped in the journal, added by its torn line, and a record that nobody can read
    for number in (3, 0x25B, 0x2BC):
        assert outbox.get(info_hash(number)) is None
    assert outbox.get("0" * 39 + "x") is None


def test_every_reason(outbox: Outbox) -> None:
    for number, reason in (QUEUED | FAILED).items():
        assert job(outbox, number).reason == reason
    assert job(outbox, 4).last_attempt == T + 100.5
    assert job(outbox, 4).attempts == 1
    assert job(outbox, 28).failed_at == T + 90


def test_wishes(outbox: Outbox) -> None:
    wishes = job(outbox, 2)
    assert wishes.options == AddOptions("films", "/data/films", ("new", "hd"), True)
    assert (wishes.require_vpn, wishes.max_retries) == (True, 0)
    assert job(outbox, 1) == Job(magnet=job(outbox, 1).magnet, queued_at=T + 1)
    assert {number for number in QUEUED if not job(outbox, number).keep} == {18, 19, 20}


def test_where_each_may_be(outbox: Outbox) -> None:
    uncertain, moved_on = job(outbox, 16), job(outbox, 17)
    assert (uncertain.sent_to, uncertain.sent_at) == ("first", T + 60)
    assert (moved_on.sent_to, moved_on.suspects) == ("second", ("first",))
    assert (job(outbox, 21).incarnation, job(outbox, 21).sent_to) == (
        Incarnation(None, T - 1000),
        "first",
    )
    assert job(outbox, 22).incarnation == Incarnation()
    assert job(outbox, 22).sent_at == T + 60.25
    assert [job(outbox, number).unsaved for number in (21, 23)] == [False, True]
    assert job(outbox, 24).suspects == ("first",)
    assert job(outbox, 26).suspects == ("first",)
    assert job(outbox, 43).suspects == ("first",)
    assert (job(outbox, 44).sent_to, job(outbox, 44).keep) == ("first", False)


def test_other_kinds_of_magnets(outbox: Outbox) -> None:
    hybrid = job(outbox, HYBRID).magnet
    assert (hybrid.v1, hybrid.v2) == (info_hash(HYBRID), "ab" * 32)
    assert outbox.known(hybrid) is job(outbox, HYBRID)
    v2 = outbox.get(V2)
    assert v2 is not None
    assert (v2.magnet.v1, v2.magnet.v2, v2.magnet.name) == (None, V2, None)
    assert job(outbox, NAMELESS).magnet.name is None


async def test_what_it_means_after_a_start(outbox: Outbox) -> None:
    """As if `removed` had been removed from the set-up meanwhile."""
    await recover(outbox, {"first", "second"}, T + 2000)
    assert numbers(outbox.at(Stage.QUEUED)) == {*QUEUED, HYBRID, NAMELESS} - {18, 19}
    assert numbers(outbox.at(Stage.FAILED)) == {*FAILED, 18, 19}
    assert [job(outbox, number).reason for number in (18, 19)] == ["error", "timeout"]
    assert numbers(outbox.at(Stage.SETTLING)) == SETTLING - {25}
    assert numbers(outbox.at(Stage.DUPLICATE_CHECK)) == WATCHED
    assert numbers(outbox.at(Stage.TOMBSTONE)) == DISCLAIMED


def test_written_as_it_was(outbox: Outbox) -> None:
    """What is written today is what that version wrote, so that a user can go back to it."""
    stored = json.loads((OLD / FILE).read_bytes())["data"]
    assert list(stored) == ["revision", "magnets"]
    assert len(stored["magnets"]) == 48
    for key, record in stored["magnets"].items():
        if key != "0" * 39 + "x":
            again = to_record(from_record(record))
            assert again == record
            assert list(again) == list(record)
    lines = (OLD / f"{FILE}.journal").read_bytes().splitlines(keepends=True)
    changes = Journal(OLD / f"{FILE}.journal").read()
    assert b"".join(map(encode, changes)) == b"".join(lines[:-1])
    assert len(changes) == 5


async def test_kept_when_it_is_rewritten(outbox: Outbox, storage_folder: Path) -> None:
    """At the start, snapshot and journal become one file; the unreadable record stays in it."""
    stored = json.loads((storage_folder / FILE).read_bytes())
    assert (stored["version"], stored["minor_version"], stored["key"]) == (1, 1, FILE)
    assert stored["data"]["revision"] == 9
    records = stored["data"]["magnets"]
    assert records.pop("0" * 39 + "x")["stage"] == "elsewhere"
    assert records == {one.info_hash: to_record(one) for stage in Stage for one in outbox.at(stage)}
