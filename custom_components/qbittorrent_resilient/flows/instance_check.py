"""Checks what was entered for an instance: what the fields say, then the server itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from homeassistant.const import CONF_NAME, CONF_PASSWORD, CONF_URL
from homeassistant.core import HomeAssistant

from ..const import CONF_API_KEY, CONF_GLUETUN, CONF_PROXY, CONF_REQUIRES_VPN
from ..core import names
from ..core.qbittorrent.errors import InvalidUrlError
from ..core.qbittorrent.pasted import read_pasted
from ..core.qbittorrent.url import same_place
from ..settings import settings_from, valid_url, verifies_ssl
from .connection_test import PROXY_AUTH_FAILED, async_connected_text, async_told, async_try_instance
from .forms import Errors, Fields, tidy_sections
from .gluetun_form import async_try_gluetun
from .instance_finding import async_finding_text
from .stored_secrets import completed
from .unasked import has_gluetun
from .words import async_words

_NOTHING_TOLD = dict.fromkeys(("redirect", "seen", "hint", "servers"), "")


@dataclass(frozen=True, slots=True)
class CheckedInstance:
    """An instance's fields as they are stored, the form errors, and what was found out, or "".

    `told` fills the gaps in the texts of the errors.
    """

    data: Fields = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)
    found: str = ""
    told: Mapping[str, str] = field(default_factory=dict)

    @property
    def placeholders(self) -> dict[str, str]:
        """Return a text for each gap; without one the form would show none of the sentence."""
        return {**_NOTHING_TOLD, **self.told}


async def async_check_instance(
    hass: HomeAssistant,
    entered: Fields,
    *,
    vpn_watched: bool,
    siblings: Mapping[str, Mapping[str, Any]],
    stored: Fields | None = None,
) -> CheckedInstance:
    """Check the fields of an instance; what is `stored` completes those that are never shown.

    `siblings` are the fields of the other instances, by name. The connection is tested last.
    """
    checked = await _checked_fields(hass, entered, siblings, stored or {}, vpn_watched=vpn_watched)
    if checked.errors:
        return checked
    data, name = checked.data, names.shown(entered[CONF_NAME])
    trial = await async_try_instance(
        hass,
        settings_from("", name, data),
        verify_ssl=verifies_ssl(data),
        asks_binding=data[CONF_REQUIRES_VPN] and CONF_GLUETUN not in data,
    )
    if trial.error:
        where = CONF_PROXY if trial.error == PROXY_AUTH_FAILED else "base"
        return CheckedInstance(data, {where: trial.error}, told=await async_told(hass, trial))
    if error := await async_try_gluetun(hass, data):
        # Not at the top of the form, which is out of sight from down there.
        return CheckedInstance(data, {CONF_GLUETUN: error})
    connected = await async_connected_text(hass, trial)
    finding = await async_finding_text(hass, name, data, trial.binding)
    return CheckedInstance(data, {}, " ".join(filter(None, (connected, finding))))


async def _checked_fields(
    hass: HomeAssistant,
    entered: Fields,
    siblings: Mapping[str, Mapping[str, Any]],
    stored: Fields,
    *,
    vpn_watched: bool,
) -> CheckedInstance:
    """Check what can be told without asking any server."""
    errors: Errors = {}
    hints: set[str] = set()
    data = completed(entered, stored)
    del data[CONF_NAME]
    if not isinstance(data[CONF_REQUIRES_VPN], bool):  # UNSAID
        data[CONF_REQUIRES_VPN] = has_gluetun(data)  # there is no other use for one
    try:
        data[CONF_URL] = read_pasted(data[CONF_URL])
    except InvalidUrlError as err:
        errors[CONF_URL] = "invalid_url"
        hints.add(err.fault)
    name = names.key(entered[CONF_NAME])
    same_name = [one for one in siblings if names.key(one) == name]
    same_url = [] if errors else list(_at_the_same_place(data[CONF_URL], siblings))
    if same_url:
        errors[CONF_URL] = "already_configured"
    if not name or same_name:
        errors[CONF_NAME] = "already_configured" if name else "name_missing"
    if entered[CONF_API_KEY].strip() and entered[CONF_PASSWORD].strip():
        errors[CONF_API_KEY] = "key_or_password"
    data[CONF_API_KEY] = data[CONF_API_KEY].strip()
    errors |= tidy_sections(data, hints, vpn_watched=vpn_watched)
    words = await async_words(hass, "url_hint")
    # Both addresses of the form show the same text.
    hint = words[hints.pop()] if len(hints) == 1 else ""
    taken = dict.fromkeys(map(names.shown, (*same_name, *same_url)))
    told = {"hint": hint, "servers": ", ".join(taken)}
    return CheckedInstance(data, errors, told=told)


def _at_the_same_place(url: str, siblings: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the names of the instances that this address leads to."""
    for name, fields in siblings.items():
        other = valid_url(fields)
        if other is not None and same_place(url, other):
            yield name
