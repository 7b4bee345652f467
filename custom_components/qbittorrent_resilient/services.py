"""The actions: they check fields and translate errors, the dispatcher does the work."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
import logging
import re
from typing import Any

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv, service
import probatio as vol

from . import link_responses, responses, validators
from .action_files import MOST_FILES, GivenFile
from .add_magnets import async_add_magnets
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
from .core.errors import StorageError
from .core.fetching.given import GivenLinks, key_of
from .core.log_words import counted
from .core.outbox.job import Stage
from .doors import hand_over
from .reasons import async_reason_text
from .runtime import ResilientConfigEntry, Runtime

_LOGGER = logging.getLogger(__name__)

_FIELD = re.compile(r"\w{1,40}", re.ASCII)
"""A field's name that an error may quote: somebody may have put a link in its place."""

_SCHEMAS = {
    "add_magnets": vol.Schema(
        {
            vol.Optional("magnets"): validators.text_or_list,
            vol.Optional("files"): vol.All(cv.ensure_list, vol.Length(max=MOST_FILES), [str]),
            vol.Optional(POSTED_FILES): vol.All(vol.Length(max=MOST_FILES), [GivenFile]),
            vol.Optional(CONF_CATEGORY): validators.category,
            vol.Optional(CONF_SAVE_PATH): validators.plain_text,
            vol.Optional(CONF_TAGS): vol.All(cv.ensure_list, [validators.tag]),
            vol.Optional(CONF_STOPPED): validators.flag,
            vol.Optional(CONF_AUTOMATIC_MANAGEMENT): validators.flag,
            vol.Optional(CONF_SEQUENTIAL): validators.flag,
            vol.Optional(CONF_FIRST_LAST_PIECE_FIRST): validators.flag,
            vol.Optional("instances"): vol.All(cv.ensure_list, [cv.string]),
            vol.Optional("max_downloads"): cv.positive_int,
            vol.Optional("max_retries", default=3): vol.All(vol.Coerce(int), vol.Range(0, 10)),
            vol.Optional("wait_for_vpn", default=0): vol.All(vol.Coerce(float), vol.Range(0, 600)),
            vol.Optional("require_vpn", default=False): validators.flag,
            vol.Optional("queue", default=True): validators.flag,
        }
    ),
    "retry_queue": vol.Schema({}),
    "get_queue": vol.Schema({}),
    "remove_magnets": vol.Schema(
        {
            vol.Optional("info_hashes"): vol.All(cv.ensure_list, [cv.string]),
            vol.Optional("all"): validators.flag,
            vol.Optional("list", default="queued"): vol.In(["queued", "failed"]),
        }
    ),
    "retry_failed": vol.Schema(
        {
            vol.Optional("info_hashes"): vol.All(cv.ensure_list, [cv.string]),
            vol.Optional("all"): validators.flag,
        }
    ),
    "check_health": vol.Schema({}),
}

type _Handler = Callable[[HomeAssistant, Runtime, dict[str, Any]], Awaitable[responses.Response]]


type _Action = Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]


async def _retry_queue(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Do one pass over the queue now, and fetch the web links in it."""
    outcomes, found = await asyncio.gather(
        runtime.dispatcher.retry(), runtime.dispatcher.links.retry()
    )
    answer = await hass.async_add_executor_job(responses.of_pass, outcomes)
    return link_responses.with_links(answer, GivenLinks(), found)


async def _get_queue(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Return the queue and the failed list, oldest first."""
    dispatcher = runtime.dispatcher
    queued, failed = dispatcher.items(Stage.QUEUED), dispatcher.items(Stage.FAILED)
    return await hass.async_add_executor_job(responses.of_queue, dispatcher, queued, failed)


async def _remove_magnets(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Remove magnets from the queue or the failed list."""
    removed = await runtime.dispatcher.remove(Stage(data["list"]), _chosen_keys(data))
    return {"removed": [item.info_hash for item in removed]}


async def _retry_failed(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Move magnets from the failed list back to the queue."""
    items = await runtime.dispatcher.requeue(_chosen_keys(data))
    runtime.retried.note(item.key for item in items)
    return await hass.async_add_executor_job(responses.of_retry, items, runtime.dispatcher)


async def _check_health(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Check the VPN and every instance, and return their verdicts."""
    await runtime.async_check()
    return responses.of_check(runtime)


_HANDLERS: dict[str, tuple[_Handler, SupportsResponse]] = {
    "add_magnets": (async_add_magnets, SupportsResponse.OPTIONAL),
    "retry_queue": (_retry_queue, SupportsResponse.OPTIONAL),
    "get_queue": (_get_queue, SupportsResponse.ONLY),
    "remove_magnets": (_remove_magnets, SupportsResponse.OPTIONAL),
    "retry_failed": (_retry_failed, SupportsResponse.OPTIONAL),
    "check_health": (_check_health, SupportsResponse.ONLY),
}


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, (handler, supports_response) in _HANDLERS.items():
        action = _action(name, handler)
        if name == "add_magnets":
            action = hand_over.heard(action)
        hass.services.async_register(DOMAIN, name, action, supports_response=supports_response)


def _action(name: str, handler: _Handler) -> _Action:
    """Return the action for a handler: it checks the fields and translates errors.

    Home Assistant does not get the schema, as it would raise voluptuous's own errors.
    """

    async def run(call: ServiceCall) -> ServiceResponse:
        data, refusal = _checked(name, call)
        if refusal is not None:
            raise refusal
        entry: ResilientConfigEntry = service.async_get_config_entry(call.hass, DOMAIN, None)
        try:
            response = await handler(call.hass, entry.runtime_data, data)
        except StorageError as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="storage_failed",
                translation_placeholders={"reason": str(err)},
            ) from err
        if call.return_response:
            return response
        async_report_failures(call.hass, response)
        return None

    return run


def _checked(name: str, call: ServiceCall) -> tuple[dict[str, Any], ServiceValidationError | None]:
    """Return a call's fields, or the error that says which of them is malformed.

    The caller raises the error, so that voluptuous's error is not part of it: that quotes the
    value, which may be a link with its trackers.
    """
    try:
        return _SCHEMAS[name](dict(call.data)), None
    except vol.Invalid as err:
        field = ".".join(str(part) for part in err.path if _FIELD.fullmatch(str(part)))
        return {}, validators.malformed(
            field, err.msg if isinstance(err.msg, str) else "is malformed"
        )


def _chosen_keys(data: dict[str, Any]) -> set[str] | None:
    """Return the info-hashes, and keys of web links, that a call names; None where it means all."""
    hashes, everything = data.get("info_hashes"), data.get("all", False)
    if (hashes is not None) == everything:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="hashes_or_all")
    return None if hashes is None else set(map(key_of, hashes))


@callback
def async_report_failures(hass: HomeAssistant, response: responses.Response) -> None:
    """Raise or log the failures of a call whose response nobody reads."""
    if not (failed := response.get("failed")):
        return
    reasons = sorted({item["reason"] for item in failed})
    if not (response.get("added") or response.get("queued") or response.get("skipped")):
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="all_failed",
            translation_placeholders={
                "count": str(len(failed)),
                "reasons": ", ".join(async_reason_text(hass, reason) for reason in reasons),
            },
        )
    count = counted(len(failed), "magnet")
    _LOGGER.warning("%s could not be added: %s", count, ", ".join(reasons))
