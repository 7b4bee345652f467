"""Secrets that sing: planted everywhere, and looked for wherever something may be seen."""

import asyncio
import base64
from collections.abc import Iterable, Iterator
import json
import logging
import traceback
from typing import Any
from urllib.parse import quote

from homeassistant.const import EVENT_CALL_SERVICE, MATCH_ALL
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.helpers.json import JSONEncoder
import pytest

from tests.support.common import link

SECRET = "canary7f3a"
"""In passwords, keys, cookies, trackers and whatever else a link brings."""
NAME = "privatename9e1c"
"""In names of torrents: answered to whoever asks, and else seen only in the event `magnets`."""
FOREIGN_LOGGERS = ("pytest_homeassistant_custom_component.common",)
"""The plugin's store in memory prints what it is given."""
_ESCAPED = "".join(f"%{ord(char):02X}" for char in SECRET)
_PARAMETERS = (
    f"&tr=http%3A%2F%2Ft.example%2F{SECRET}%2Fannounce&tr=udp://{SECRET}.example:1"
    f"&tr={_ESCAPED}&x.pe={SECRET}.example:1&ws=http://u:{SECRET}@w.example/&xs=dchub://{SECRET}"
    f"&kt={SECRET}&{SECRET}=1&x.{SECRET}&as={quote(SECRET + ' ü&=')}"
)


def secret_link(number: int, *, name: str = NAME) -> str:
    """Return a link full of secrets."""
    return link(number, name=f"{name}+{number}", extra=_PARAMETERS)


def variants(secret: str) -> Iterator[str]:
    """Yield the forms in which a secret may show up, in lower case."""
    yield secret.lower()
    yield quote(secret, safe="").lower()
    yield "".join(f"%{byte:02x}" for byte in secret.encode())
    yield secret.encode().hex()
    yield base64.b64encode(secret.encode()).decode().lower()


class Ears:
    """Hears all that is said on the bus and what tasks are called, from the beginning."""

    def __init__(self, hass: HomeAssistant, caplog: pytest.LogCaptureFixture) -> None:
        self._hass, self._caplog = hass, caplog
        self._events: list[str] = []
        self._names: list[str] = []
        self._tasks: set[str] = set()
        hass.bus.async_listen(MATCH_ALL, self._hear)

    @callback
    def _hear(self, event: Event[Any]) -> None:
        self.look_at_tasks()
        if event.event_type == EVENT_CALL_SERVICE:
            return  # Home Assistant's own; the README says so
        said = json.dumps(event.as_dict(), cls=JSONEncoder)
        entity = str(event.data.get("entity_id", ""))
        (self._names if entity.startswith("event.") else self._events).append(said)

    def look_at_tasks(self) -> None:
        """Note the names of all that is under way."""
        self._tasks |= {task.get_name() for task in asyncio.all_tasks()}

    def log(self) -> Iterator[str]:
        """Yield each line of the log as a file would get it, traces included."""
        for record in self._caplog.records:
            own = record.name == "homeassistant.core" and EVENT_CALL_SERVICE in record.getMessage()
            if record.name not in FOREIGN_LOGGERS and not own:
                yield logging.Formatter("%(name)s %(threadName)s %(message)s").format(record)

    def public(self) -> Iterator[str]:
        """Yield what everybody sees: neither secrets nor names belong there."""
        yield from self.log()
        yield from self._events
        yield from self._tasks
        for state in self._hass.states.async_all():
            if state.domain != "event":
                yield json.dumps(state.as_dict(), cls=JSONEncoder)
        yield from map(repr, er.async_get(self._hass).entities.values())
        yield from map(repr, dr.async_get(self._hass).devices)
        yield from map(repr, ir.async_get(self._hass).issues.values())

    def private(self) -> Iterator[str]:
        """Yield what may name a torrent, but must hold no secret."""
        yield from self._names
        for state in self._hass.states.async_all("event"):
            yield json.dumps(state.as_dict(), cls=JSONEncoder)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all that it comes of, shown or not."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def shown(said: Any) -> Iterator[str]:
    """Yield how an answer or an error reads."""
    if not isinstance(said, BaseException):
        yield json.dumps(said)
        return
    for error in chain(said):
        yield from (str(error), *map(str, error.args))
        yield "".join(traceback.format_exception(error))
        yield str(getattr(error, "translation_placeholders", ""))


def assert_silent(ears: Ears, said: Iterable[Any], *more: str) -> None:
    """Look for the secrets, and `more` of them, everywhere; and for names where none belong."""
    public = [*ears.public()]
    assert any("custom_components.qbittorrent_resilient" in line for line in public)
    everything = [*public, *ears.private(), *(line for one in said for line in shown(one))]
    secrets = [form for secret in (SECRET, *more) for form in variants(secret)]
    assert not [line for line in everything if _holds(line, secrets)]
    assert not [line for line in public if _holds(line, [*variants(NAME)])]


def _holds(line: str, secrets: Iterable[str]) -> bool:
    line = line.lower()
    return any(secret in line for secret in secrets)
