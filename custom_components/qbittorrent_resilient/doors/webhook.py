"""The trigger for magnets that are posted to a webhook, which answers what became of them.

Home Assistant's own webhook trigger answers before anything has read the post, and loses what a
form or a list in JSON has beyond its limits.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast, override

from aiohttp import hdrs, web
from homeassistant.components import webhook
from homeassistant.const import CONF_OPTIONS, CONF_WEBHOOK_ID
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.trigger import (
    Trigger,
    TriggerActionRunner,
    TriggerConfig,
    TriggerNotTriggeredReporter,
)
from homeassistant.helpers.typing import ConfigType
from homeassistant.setup import async_setup_component
from homeassistant.util.hass_dict import HassKey
import probatio as vol

from ..const import CONF_LOCAL_ONLY, CONF_WEB_LINKS, DOMAIN
from ..core.gathering import Gathered, gather
from ..core.intake import TooManyError
from . import hand_over
from .loading import async_loaded
from .post import Posted, read_post

LOADED_SECONDS = 30.0
"""How long a post waits for the integration while it is loaded again."""

_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_OPTIONS): {
            vol.Required(CONF_WEBHOOK_ID): vol.All(cv.string, vol.Length(min=1)),
            vol.Optional(CONF_LOCAL_ONLY, default=True): cv.boolean,
            vol.Optional(CONF_WEB_LINKS, default=False): cv.boolean,
        }
    }
)


_TOLD = ("added", "queued", "skipped", "failed")


@dataclass(slots=True, eq=False)
class _Listener:
    """An automation that a webhook runs."""

    run_action: TriggerActionRunner
    web_links: bool


_LISTENERS: HassKey[dict[str, list[_Listener]]] = HassKey("qbittorrent_resilient_webhooks")


class MagnetsPostedTrigger(Trigger):
    """Something was posted to a webhook."""

    @override
    @classmethod
    async def async_validate_config(cls, hass: HomeAssistant, config: ConfigType) -> ConfigType:
        """Check the options."""
        return cast("ConfigType", _SCHEMA(config))

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Take the options."""
        super().__init__(hass, config)
        self._options: dict[str, Any] = config.options or {}

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Answer the webhook; several automations may have the same."""
        await async_setup_component(self._hass, webhook.DOMAIN, {})
        webhook_id = self._options[CONF_WEBHOOK_ID]
        listener = _Listener(run_action, self._options[CONF_WEB_LINKS])
        everybody = self._hass.data.setdefault(_LISTENERS, {})
        if not (here := everybody.setdefault(webhook_id, [])):
            webhook.async_register(
                self._hass,
                DOMAIN,
                "Magnets",
                webhook_id,
                _handle,
                local_only=self._options[CONF_LOCAL_ONLY],
            )
        here.append(listener)

        def detach() -> None:
            here.remove(listener)
            if not here:
                webhook.async_unregister(self._hass, webhook_id)
                del everybody[webhook_id]

        return detach


async def _handle(hass: HomeAssistant, webhook_id: str, request: web.Request) -> web.Response:
    """Run the automations with what was posted, and answer what the best of them came to."""
    try:
        # What comes by Home Assistant's cloud is no real request.
        body = await (request.read() if hasattr(request, "read") else request.content.read())
    except web.HTTPRequestEntityTooLarge:
        return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error="larger than 16 MB")
    url = getattr(request, "rel_url", None)
    query = request.query_string if url is None else url.raw_query_string
    content_type = request.headers.get(hdrs.CONTENT_TYPE, "")
    try:
        posted, gathered = await hass.async_add_executor_job(_read, body, content_type, query)
    except TooManyError as err:
        return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error=str(err))
    if not await async_loaded(hass, LOADED_SECONDS):
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, error="the integration is not loaded")
    outcomes = await asyncio.gather(
        *(
            hand_over.async_run(
                hass,
                listener.run_action,
                gathered.magnets + (gathered.web_links if listener.web_links else []),
                "a post to a webhook",
                files=posted.files,
                unreadable=posted.unreadable,
            )
            for listener in hass.data[_LISTENERS].get(webhook_id, [])
        )
    )
    answers = [_of_outcome(outcome, posted.unreadable) for outcome in outcomes]
    return min(answers, key=lambda one: one.status, default=_not_added())


def _read(body: bytes, content_type: str, query: str) -> tuple[Posted, Gathered]:
    posted = read_post(body, content_type, query)
    return posted, gather(posted.values)


def _of_outcome(outcome: hand_over.Outcome, unreadable: int) -> web.Response:
    """Return the answer to a post: an error, unless something was taken."""
    if outcome is None:
        return _not_added()
    if isinstance(outcome, HomeAssistantError):
        is_ours = isinstance(outcome, ServiceValidationError) and (
            outcome.translation_domain == DOMAIN
        )
        return _answer(
            HTTPStatus.UNPROCESSABLE_ENTITY if is_ours else HTTPStatus.SERVICE_UNAVAILABLE,
            error=str(outcome),
        )
    counts = {name: len(some) for name, some in outcome.items() if name in _TOLD}
    if "failed" in counts:
        counts["failed"] += unreadable
    # Without a response, the action raises an error if nothing was taken.
    taken = not counts or any(counts[name] for name in _TOLD if name != "failed")
    return _answer(HTTPStatus.OK if taken else HTTPStatus.UNPROCESSABLE_ENTITY, **counts)


def _not_added() -> web.Response:
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, error="the automation did not add them")


def _answer(status: HTTPStatus, **body: Any) -> web.Response:
    return web.json_response(body, status=status)
