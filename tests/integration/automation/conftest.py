"""Fixtures for the tests of automations."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from tests.support.automations import Calls


@pytest.fixture
def phone(hass: HomeAssistant, device_registry: dr.DeviceRegistry) -> Calls:
    """Return what a phone is sent."""
    entry = MockConfigEntry(domain="mobile_app")
    entry.add_to_hass(hass)
    device_registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("mobile_app", "1")}, name="My Phone"
    )
    calls: Calls = async_mock_service(hass, "notify", "mobile_app_my_phone")
    return calls
