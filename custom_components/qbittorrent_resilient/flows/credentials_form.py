"""The form for new credentials of an instance, and the check behind it."""

from copy import replace
from types import MappingProxyType

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import HomeAssistant
import probatio as vol

from ..const import CONF_API_KEY
from ..settings import DamagedSettingsError, instance_settings, verifies_ssl
from .connection_test import async_told, async_try_instance
from .forms import KEY, SECRET, USERNAME, Fields
from .instance_check import CheckedInstance


def credentials_schema(*, by_key: bool) -> vol.Schema:
    """Return the form for new credentials: an API key, or user name and password."""
    if by_key:
        return vol.Schema({vol.Required(CONF_API_KEY): KEY})
    return vol.Schema({vol.Required(CONF_USERNAME): USERNAME, vol.Required(CONF_PASSWORD): SECRET})


async def async_check_credentials(
    hass: HomeAssistant, subentry: ConfigSubentry, entered: Fields
) -> CheckedInstance:
    """Check an instance's fields with new credentials."""
    data = {**subentry.data, **{key: value.strip() for key, value in entered.items()}}
    if CONF_PASSWORD in entered:
        data[CONF_PASSWORD] = entered[CONF_PASSWORD]  # blanks may be part of a password
    try:
        settings = instance_settings(replace(subentry, data=MappingProxyType(data)))
    except DamagedSettingsError:
        return CheckedInstance(data, {"base": "unknown"})
    trial = await async_try_instance(hass, settings, verify_ssl=verifies_ssl(data))
    if trial.error:
        return CheckedInstance(data, {"base": trial.error}, told=await async_told(hass, trial))
    return CheckedInstance(data)
