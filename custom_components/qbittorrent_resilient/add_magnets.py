"""The action `add_magnets`: magnets, web links and torrent files, sorted and delivered."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from . import link_responses, responses
from .action_files import FailedFile, async_take_files
from .const import (
    CONF_AUTOMATIC_MANAGEMENT,
    CONF_CATEGORY,
    CONF_FIRST_LAST_PIECE_FIRST,
    CONF_SAVE_PATH,
    CONF_SEQUENTIAL,
    CONF_STOPPED,
    CONF_TAGS,
    DOMAIN,
    POSTED_FILES,
)
from .core.fetching.given import GivenLinks, read_links
from .core.intake import MOST_TEXTS, Intake, TooManyError, take_in
from .core.magnet import Magnet
from .core.outbox.job import Job
from .core.qbittorrent.models import AddOptions
from .named_instances import async_named
from .runtime import Runtime
from .validators import malformed

FEW_CHARACTERS = 64 * 1024
"""In the links of a call that needs no thread: some 200 links of usual length."""
CHARACTERS_OF_AN_ITEM = 100
"""That take as long as an item of a list that is no text."""


async def async_add_magnets(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Deliver what a call gives, or queue what cannot be delivered now."""
    if data.get(CONF_AUTOMATIC_MANAGEMENT) and data.get(CONF_SAVE_PATH):
        raise malformed(CONF_SAVE_PATH, "must not be given with automatic management")
    given_files = [*data.get("files", []), *data.get(POSTED_FILES, [])]
    if "magnets" not in data and not given_files:
        raise malformed("magnets", "is required, unless files are given")
    if "instances" in data:
        data["instances"] = async_named(hass, runtime, data["instances"])
    dispatcher = runtime.dispatcher
    now, magnets = dispatcher.now(), data.setdefault("magnets", "")
    characters = len(magnets) if isinstance(magnets, str) else _size(magnets)
    # What takes less than 2 ms is done here: waiting for a thread could take longer.
    run = hass.async_add_executor_job if characters > FEW_CHARACTERS else _at_once
    most = data.get("max_downloads")
    try:
        intake, given = await run(_take_in, magnets, most, dispatcher.links.are_fetched)
    except TooManyError as err:
        raise malformed("magnets", str(err)) from err
    most_files = None if most is None else max(most - len(given.links), 0)
    files, failed = await async_take_files(hass, dispatcher, given_files, intake, most_files)
    if not (intake.magnets or intake.skipped or given.places):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_valid_magnet",
            translation_placeholders={"reason": _why_none(intake, failed)},
        )
    jobs = await run(partial(_jobs, intake.magnets, data, now, files=files))
    links = await run(partial(_link_jobs, given, data, now))
    outcomes, found = await dispatcher.add_with_links(
        jobs,
        links,
        wait_for_vpn=data["wait_for_vpn"],
        invalid=len(intake.invalid) + len(intake.web_links) + len(failed),
    )
    answer = await run(responses.of_add, intake, outcomes, runtime, failed)
    return link_responses.with_links(answer, given, found)


def _size(values: Sequence[object]) -> int:
    """Return the characters in a list, or more: whatever an item is, it takes its time."""
    texts = (len(one) for one in islice(values, MOST_TEXTS) if isinstance(one, str))
    return len(values) * CHARACTERS_OF_AN_ITEM + sum(texts)


async def _at_once[*Ts, T](work: Callable[[*Ts], T], *args: *Ts) -> T:
    """Do short work in the event loop."""
    return work(*args)


def _take_in(
    magnets: str | Sequence[object], most: int | None, are_fetched: bool
) -> tuple[Intake, GivenLinks]:
    """Return what was given, and the web links in it if they are fetched."""
    intake = take_in(magnets, most=most)
    return intake, read_links(intake, most) if are_fetched else GivenLinks()


def _why_none(intake: Intake, files: Sequence[FailedFile]) -> str:
    """Return what is wrong with the first of the things that were given."""
    web, invalid = intake.web_links, intake.invalid
    if web and not (invalid and invalid[0].index < web[0].index):
        return "it is a web link, and fetch_links is off in the options"
    details = [one.detail for one in invalid] + [one.detail for one in files]
    return details[0] if details else "nothing was given"


def _jobs(
    magnets: Sequence[Magnet],
    data: dict[str, Any],
    now: float,
    *,
    files: Mapping[str, str] | None = None,
) -> list[Job]:
    """Return jobs for the magnets; `files` has the torrent files of some, by info-hash."""
    options = AddOptions(
        category=data.get(CONF_CATEGORY),
        save_path=data.get(CONF_SAVE_PATH),
        tags=tuple(data[CONF_TAGS]) if CONF_TAGS in data else None,
        stopped=data.get(CONF_STOPPED),
        automatic_management=data.get(CONF_AUTOMATIC_MANAGEMENT),
        sequential=data.get(CONF_SEQUENTIAL),
        first_last_piece_first=data.get(CONF_FIRST_LAST_PIECE_FIRST),
    )
    return [
        Job(
            magnet=magnet,
            options=options,
            require_vpn=data["require_vpn"],
            instances=data.get("instances"),
            max_retries=data["max_retries"],
            keep=data["queue"],
            queued_at=now,
            file=(files or {}).get(magnet.info_hash),
        )
        for magnet in magnets
    ]


def _link_jobs(given: GivenLinks, data: dict[str, Any], now: float) -> list[Job]:
    """Return jobs for the web links."""
    return _jobs([link.as_magnet() for link in given.links], data, now)
