"""Remembers logins since Home Assistant was started: refusals, and pauses after a ban.

They outlive a reload of the entry: if each reload tried refused credentials again, the server would
ban this host.
"""

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .core.health.settings import InstanceSettings
from .core.qbittorrent.login_guard import LoginGuard

type _Known = tuple[tuple[str, ...], LoginGuard]

_LOGIN_GUARDS: HassKey[dict[str, _Known]] = HassKey(f"{DOMAIN}_log_ins")


@callback
def async_login_guard(hass: HomeAssistant, settings: InstanceSettings) -> LoginGuard:
    """Return what is known of logins to this server; other credentials begin without anything."""
    known = hass.data.setdefault(_LOGIN_GUARDS, {})
    credentials, login_guard = known.get(settings.key, ((), LoginGuard()))
    if credentials != settings.credentials:
        login_guard = LoginGuard()
    known[settings.key] = (settings.credentials, login_guard)
    return login_guard


@callback
def async_forget_login(hass: HomeAssistant, instance_key: str) -> None:
    """Let an instance log in again: its credentials have just been tested, and are good."""
    hass.data.get(_LOGIN_GUARDS, {}).pop(instance_key, None)
