"""Finds out which addresses this home has outside, from what the user and this host know.

Nothing leaves the house for this, unless the user has switched the daily question on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
import re
from socket import AF_INET

from homeassistant.components.network import Adapter, async_get_adapters
from homeassistant.components.network.util import async_load_adapters
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import (
    async_call_later,
    async_track_state_change_event,
    async_track_time_interval,
)
from homeassistant.util.hass_dict import HassKey
from homeassistant.util.location import async_detect_location_info

from .const import CONF_ASK_HOME_ADDRESS, DOMAIN
from .core.clock import Clock
from .core.health.home import HomeAddresses
from .core.qbittorrent.network import Interface
from .entry_settings import home_entities, readable_options

ASK_SECONDS = 86_400.0
RETRY_SECONDS = 3600.0
"""After a question without an answer: at a start, the line may come up later than this."""
OWN_INTERVAL = timedelta(minutes=12)
"""How often this host's own addresses are looked up: that asks nobody."""
_OWN, _ASKED = "this host", "asked"
"""Sources beside entities, whose ids have a dot."""
_SEPARATORS = re.compile(r"[^\w.:%]+")
"""What stands beside an address in a state: blanks, commas, brackets, quotes, a prefix's slash."""
_IPV4 = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])")
"""Also behind a colon, as in `WAN:192.0.2.1`, and before a port or the end of a sentence."""
_NOT_HEX = re.compile(r"[^0-9A-Fa-f]")
"""It tells a word before a colon from the first group of an IPv6 address."""


@dataclass(slots=True)
class _Known:
    """What is known by these sources, and when to ask next (the event loop's time)."""

    sources: tuple[str, ...]
    home: HomeAddresses
    ask_at: float = float("-inf")


_HOMES: HassKey[dict[str, _Known]] = HassKey(f"{DOMAIN}_homes")


@callback
def async_home(hass: HomeAssistant, entry: ConfigEntry, clock: Clock) -> HomeAddresses:
    """Return what is known of the home; it outlives a reload, unless other sources were chosen."""
    homes = hass.data.setdefault(_HOMES, {})
    sources = (*_entities(entry), *((_ASKED,) if _asks(entry) else ()))
    known = homes.get(entry.entry_id)
    if known is None or known.sources != sources:
        known = homes[entry.entry_id] = _Known(sources, HomeAddresses(clock))
    return known.home


async def async_follow_home(hass: HomeAssistant, entry: ConfigEntry, home: HomeAddresses) -> None:
    """Tell `home` what the sources say, until the entry is unloaded."""
    entities = _entities(entry)
    for entity_id in entities:
        _tell_state(home, entity_id, hass.states.get(entity_id))

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        _tell_state(home, event.data["entity_id"], event.data["new_state"])

    if entities:
        entry.async_on_unload(async_track_state_change_event(hass, entities, changed))
    _tell_own(home, await async_get_adapters(hass))

    async def look_again(_now: datetime) -> None:
        _tell_own(home, await async_load_adapters())

    # Home Assistant looks at its adapters once, but many homes get a new prefix now and then.
    entry.async_on_unload(async_track_time_interval(hass, look_again, OWN_INTERVAL))
    if _asks(entry):
        _DailyQuestion(hass, entry, hass.data[_HOMES][entry.entry_id]).start()


class _DailyQuestion:
    """Asks once a day until the entry is unloaded, however often it is loaded."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, known: _Known) -> None:
        """Tell the home in `known` what is answered."""
        self._hass = hass
        self._entry = entry
        self._known = known
        self._cancel: CALLBACK_TYPE | None = None

    @callback
    def start(self) -> None:
        """Ask now, or when it is time again."""
        self._entry.async_on_unload(self._stop)
        remaining = self._known.ask_at - self._hass.loop.time()
        if remaining > 0:
            self._wait(remaining)
        else:
            self._ask()

    @callback
    def _stop(self) -> None:
        if self._cancel is not None:
            self._cancel()

    @callback
    def _wait(self, seconds: float) -> None:
        self._known.ask_at = self._hass.loop.time() + seconds
        self._cancel = async_call_later(self._hass, seconds, self._ask)

    @callback
    def _ask(self, _now: datetime | None = None) -> None:
        # A task of the entry's, which ends with it.
        self._entry.async_create_background_task(
            self._hass, self._async_ask(), "ask for the home's address"
        )

    async def _async_ask(self) -> None:
        session = async_get_clientsession(self._hass, family=AF_INET)
        if (found := await async_detect_location_info(session)) is not None:
            self._known.home.tell(_ASKED, [found.ip])
        self._wait(RETRY_SECONDS if found is None else ASK_SECONDS)


@callback
def _tell_own(home: HomeAddresses, adapters: Iterable[Adapter]) -> None:
    """Take over this host's own addresses; a VPN of this host is not its home."""
    home.tell(
        _OWN,
        [
            ipv6["address"]
            for adapter in adapters
            if not Interface(adapter["name"], adapter["name"]).is_tunnel
            for ipv6 in adapter["ipv6"]
        ],
    )


@callback
def _tell_state(home: HomeAddresses, entity_id: str, state: State | None) -> None:
    """Take over the addresses in a state; an entity that is unavailable tells none."""
    text = "" if state is None else state.state
    home.tell(entity_id, _addresses_in(text))


def _addresses_in(text: str) -> Iterator[str]:
    """Yield all that may be an address in a state, which has 255 characters at most."""
    for part in _SEPARATORS.split(text):
        word = part.strip(".")
        yield word
        yield from _IPV4.findall(word)
        label, _, rest = word.partition(":")
        if rest and _NOT_HEX.search(label):
            yield rest


def _entities(entry: ConfigEntry) -> Sequence[str]:
    return tuple(home_entities(entry))


def _asks(entry: ConfigEntry) -> bool:
    return bool(readable_options(entry.options)[CONF_ASK_HOME_ADDRESS])
