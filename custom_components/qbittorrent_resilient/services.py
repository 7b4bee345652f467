"""The actions: thin doors to the courier, which does the work."""

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

from . import fields, responses
from .const import CONF_CATEGORY, CONF_SAVE_PATH, CONF_STOPPED, CONF_TAGS, DOMAIN
from .coordinator import ResilientConfigEntry, Runtime
from .core.entry import Entry, Stage
from .core.errors import StorageError
from .core.intake import Intake, TooManyError, take_in
from .core.models import AddOptions
from .words import async_in_words

_LOGGER = logging.getLogger(__name__)

FEW_CHARACTERS = 64 * 1024
"""Of links in a call: some 200 of usual length."""
_FIELD = re.compile(r"\w{1,40}", re.ASCII)
"""What may be named in an error: somebody may have put a link where the name of a field goes."""

_SCHEMAS = {
    "add_magnets": vol.Schema(
        {
            vol.Required("magnets"): vol.Any(str, [str]),
            vol.Optional(CONF_CATEGORY): fields.category,
            vol.Optional(CONF_SAVE_PATH): fields.plain_text,
            vol.Optional(CONF_TAGS): vol.All(cv.ensure_list, [fields.tag]),
            vol.Optional(CONF_STOPPED): fields.flag,
            vol.Optional("max_downloads"): cv.positive_int,
            vol.Optional("max_retries", default=3): vol.All(vol.Coerce(int), vol.Range(0, 10)),
            vol.Optional("wait_for_vpn", default=0): vol.All(vol.Coerce(float), vol.Range(0, 600)),
            vol.Optional("require_vpn", default=False): fields.flag,
            vol.Optional("queue", default=True): fields.flag,
        }
    ),
    "retry_queue": vol.Schema({}),
    "get_queue": vol.Schema({}),
    "remove_magnets": vol.Schema(
        {
            vol.Optional("info_hashes"): vol.All(cv.ensure_list, [cv.string]),
            vol.Optional("all"): fields.flag,
            vol.Optional("list", default="queued"): vol.In(["queued", "failed"]),
        }
    ),
    "retry_failed": vol.Schema(
        {
            vol.Optional("info_hashes"): vol.All(cv.ensure_list, [cv.string]),
            vol.Optional("all"): fields.flag,
        }
    ),
    "check_health": vol.Schema({}),
}

type _Handler = Callable[[HomeAssistant, Runtime, dict[str, Any]], Awaitable[responses.Response]]


type _Action = Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]


async def _add_magnets(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Deliver magnets, or queue what cannot be delivered now."""
    now, magnets = runtime.courier.now(), data["magnets"]
    characters = len(magnets) if isinstance(magnets, str) else sum(map(len, magnets))
    # What takes less than 2 ms is done at once: a thread would have to be waited for.
    job = hass.async_add_executor_job if characters > FEW_CHARACTERS else _at_once
    try:
        intake, entries = await job(_take_in, data, now)
    except TooManyError as err:
        raise _malformed("magnets", str(err)) from err
    if not (intake.magnets or intake.skipped):
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="no_valid_magnet",
            translation_placeholders={
                "reason": intake.invalid[0].detail if intake.invalid else "nothing was given"
            },
        )
    outcomes = await runtime.courier.add(
        entries, wait_for_vpn=data["wait_for_vpn"], invalid=len(intake.invalid)
    )
    return await job(responses.of_add, intake, outcomes, runtime)


async def _at_once[*Ts, T](work: Callable[[*Ts], T], *args: *Ts) -> T:
    """Do what is as good as done."""
    return work(*args)


def _take_in(data: dict[str, Any], now: float) -> tuple[Intake, list[Entry]]:
    """Sort what was given; thousands of links take a while."""
    intake = take_in(data["magnets"], most=data.get("max_downloads"))
    options = AddOptions(
        category=data.get(CONF_CATEGORY),
        save_path=data.get(CONF_SAVE_PATH),
        tags=tuple(data[CONF_TAGS]) if CONF_TAGS in data else None,
        stopped=data.get(CONF_STOPPED),
    )
    entries = [
        Entry(
            magnet=magnet,
            options=options,
            require_vpn=data["require_vpn"],
            max_retries=data["max_retries"],
            keep=data["queue"],
            queued_at=now,
        )
        for magnet in intake.magnets
    ]
    return intake, entries


async def _retry_queue(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Do one pass over the queue now."""
    outcomes = await runtime.courier.retry()
    return await hass.async_add_executor_job(responses.of_pass, outcomes)


async def _get_queue(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Return the queue and the failed list, oldest first."""
    return await hass.async_add_executor_job(
        responses.of_queue,
        runtime.courier,
        runtime.courier.queue.at(Stage.QUEUED),
        runtime.courier.queue.at(Stage.FAILED),
    )


async def _remove_magnets(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Take magnets off the queue or the failed list."""
    stage = Stage(data["list"])
    chosen = _chosen(runtime, stage, data)
    removed = await runtime.courier.queue.change((entry, None) for entry in chosen)
    return {"removed": [entry.info_hash for entry in removed]}


async def _retry_failed(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Move magnets from the failed list back to the queue."""
    courier = runtime.courier
    chosen = _chosen(runtime, Stage.FAILED, data)
    now = courier.now()
    changed = await courier.queue.change((entry, entry.again(now)) for entry in chosen)
    courier.wake()
    return await hass.async_add_executor_job(responses.of_retry, changed, courier)


async def _check_health(
    hass: HomeAssistant, runtime: Runtime, data: dict[str, Any]
) -> responses.Response:
    """Ask the VPN and every instance how they are, and answer when they have."""
    await runtime.async_check()
    return responses.of_health(runtime)


_HANDLERS: dict[str, tuple[_Handler, SupportsResponse]] = {
    "add_magnets": (_add_magnets, SupportsResponse.OPTIONAL),
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
        hass.services.async_register(
            DOMAIN, name, _action(name, handler), supports_response=supports_response
        )


def _action(name: str, handler: _Handler) -> _Action:
    """Return the action around a handler: fields checked, errors in the user's words.

    The schema is not handed to Home Assistant, which would raise voluptuous's own errors.
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
        _complain(call.hass, response)
        return None

    return run


def _checked(name: str, call: ServiceCall) -> tuple[dict[str, Any], ServiceValidationError | None]:
    """Return a call's fields, or the error that says which of them is malformed.

    It is raised elsewhere, so that the one it comes of is not part of it: that quotes the value,
    which may be a link with its trackers.
    """
    try:
        return _SCHEMAS[name](dict(call.data)), None
    except vol.Invalid as err:
        field = ".".join(str(part) for part in err.path if _FIELD.fullmatch(str(part)))
        return {}, _malformed(field, err.msg if isinstance(err.msg, str) else "is malformed")


def _malformed(field: str, reason: str) -> ServiceValidationError:
    """Return the error for a field that cannot be taken as it is."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="malformed_field",
        translation_placeholders={"field": field, "reason": reason},
    )


def _chosen(runtime: Runtime, stage: Stage, data: dict[str, Any]) -> list[Entry]:
    """Return the entries that a call names: by their hashes, or all."""
    hashes, everything = data.get("info_hashes"), data.get("all", False)
    if (hashes is not None) == everything:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="hashes_or_all")
    entries = runtime.courier.queue.at(stage)
    if everything:
        return entries
    wanted = {one.strip().lower() for one in hashes or ()}
    return [
        entry for entry in entries if wanted & {entry.magnet.v1, entry.magnet.v2, entry.info_hash}
    ]


def _complain(hass: HomeAssistant, response: responses.Response) -> None:
    """Let no failure go unnoticed where nobody looks at the response."""
    if not (failed := response.get("failed")):
        return
    reasons = sorted({one["reason"] for one in failed})
    if not (response.get("added") or response.get("queued") or response.get("skipped")):
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="all_failed",
            translation_placeholders={
                "count": str(len(failed)),
                "reasons": ", ".join(async_in_words(hass, one) for one in reasons),
            },
        )
    _LOGGER.warning("%d magnets could not be added: %s", len(failed), ", ".join(reasons))
