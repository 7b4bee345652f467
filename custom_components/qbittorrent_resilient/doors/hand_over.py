"""What a trigger hands to the action `add_magnets`, and what it hears of that in return.

Between the two stand templates, which render 256 KiB of text and no more. Links that need more than
that stay here, and so do torrent files; a ticket goes through the templates in their place. The
context tells which call of the action belongs to which run of an automation.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from homeassistant.core import Context, HomeAssistant, ServiceCall, ServiceResponse, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.trigger import TriggerActionRunner
from homeassistant.util.hass_dict import HassKey

from ..action_files import GivenFile
from ..const import POSTED_FILES

MOST_RENDERED = 200_000
"""Characters of links that go through a template themselves."""
_TICKET = "magnets that are too many for a template: "

type Outcome = dict[str, Any] | HomeAssistantError | None
"""The response of the action, empty if nobody asked for one, or its error; None if the automation
did not call it."""
type _Action = Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]


@dataclass(frozen=True, slots=True)
class _HandOver:
    """What an automation is given, and who waits for what the action makes of it."""

    links: str
    files: Sequence[GivenFile]
    outcome: asyncio.Future[Outcome]


_OPEN: HassKey[dict[str, _HandOver]] = HassKey("qbittorrent_resilient_handed_over")


@callback
def async_run(
    hass: HomeAssistant,
    run_action: TriggerActionRunner,
    links: list[str],
    description: str,
    *,
    files: Sequence[GivenFile] = (),
    **payload: Any,
) -> asyncio.Future[Outcome]:
    """Run an automation with these links in `trigger.magnets`, one a line, and torrent files.

    Returns what the first call of the action comes to, as soon as it does: what else the automation
    does may take hours.
    """
    text, context = "\n".join(links), Context()
    fits = not files and len(repr(text)) <= MOST_RENDERED
    given = text if fits else _TICKET + context.id
    hand_over = _HandOver(text, files, hass.loop.create_future())
    hass.data.setdefault(_OPEN, {})[context.id] = hand_over
    task = run_action(
        {"magnets": given, "count": len(links) + len(files)} | payload, description, context
    )

    def close(_: asyncio.Task[Any]) -> None:
        hass.data[_OPEN].pop(context.id)
        _settle(hand_over, None)

    task.add_done_callback(close)
    return hand_over.outcome


def heard(action: _Action) -> _Action:
    """Return the action that takes tickets, and lets the trigger know what it comes to."""

    async def run(call: ServiceCall) -> ServiceResponse:
        opened = call.hass.data.get(_OPEN, {})
        magnets = call.data.get("magnets")
        if isinstance(magnets, str) and magnets.startswith(_TICKET):
            if hand_over := opened.get(magnets.removeprefix(_TICKET)):
                call = _with(call, hand_over)
        waiting = opened.get(call.context.parent_id or "")
        try:
            response = await action(call)
        except HomeAssistantError as err:
            _settle(waiting, err)
            raise
        _settle(waiting, response or {})
        return response

    return run


def _with(call: ServiceCall, given: _HandOver) -> ServiceCall:
    """Return the call with what its ticket stands for."""
    data = {**call.data, "magnets": given.links, POSTED_FILES: [*given.files]}
    return ServiceCall(
        call.hass, call.domain, call.service, data, call.context, call.return_response
    )


def _settle(hand_over: _HandOver | None, outcome: Outcome) -> None:
    if hand_over is not None and not hand_over.outcome.done():
        hand_over.outcome.set_result(outcome)
