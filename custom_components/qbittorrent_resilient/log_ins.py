"""What came of log-ins since Home Assistant was started: refusals, and pauses after a ban.

They outlive a reload of the entry: credentials that are tried once more at each end in a ban.
"""

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .core.models import InstanceSettings
from .core.qbittorrent.log_ins import LogIns

type _Known = tuple[tuple[str, ...], LogIns]

_LOG_INS: HassKey[dict[str, _Known]] = HassKey(f"{DOMAIN}_log_ins")


@callback
def async_log_ins(hass: HomeAssistant, settings: InstanceSettings) -> LogIns:
    """Return what is known of log-ins at this server with just these credentials."""
    known = hass.data.setdefault(_LOG_INS, {})
    credentials, log_ins = known.get(settings.key, ((), LogIns()))
    if credentials != settings.credentials:
        log_ins = LogIns()
    known[settings.key] = (settings.credentials, log_ins)
    return log_ins


@callback
def async_forget_log_ins(hass: HomeAssistant, key: str) -> None:
    """Let an instance log in again: its credentials have just been tried, and are good."""
    hass.data.get(_LOG_INS, {}).pop(key, None)
