"""Which entities the form proposes as those that say the home's own address."""

from importlib.util import find_spec
import json
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest

from custom_components.qbittorrent_resilient.flows.home_entities import (
    ROUTERS,
    async_suggested_home_addresses,
)


@pytest.fixture
def registry(hass: HomeAssistant) -> er.EntityRegistry:
    return er.async_get(hass)


def add(registry: er.EntityRegistry, platform: str, key: str | None, unit: str = "1") -> str:
    """Register an entity, as the integration of a router does; return its id."""
    entity = registry.async_get_or_create(
        "sensor",
        platform,
        f"{unit}-{key}",
        translation_key=key,
        suggested_object_id=f"{platform}_{unit}_{key}",
    )
    return entity.entity_id


@pytest.mark.parametrize("platform", ROUTERS)
async def test_the_only_integration_is_proposed(
    hass: HomeAssistant, registry: er.EntityRegistry, platform: str
) -> None:
    assert async_suggested_home_addresses(hass) == []
    expected = sorted(add(registry, platform, key) for key in ROUTERS[platform])
    add(registry, platform, "uptime")
    add(registry, platform, None)
    add(registry, "template", "external_ip")
    assert async_suggested_home_addresses(hass) == expected


async def test_two_routers_of_one_integration(
    hass: HomeAssistant, registry: er.EntityRegistry
) -> None:
    expected = [add(registry, "fritz", "external_ip", unit) for unit in ("1", "2")]
    assert async_suggested_home_addresses(hass) == expected


async def test_of_two_integrations_none_is_proposed(
    hass: HomeAssistant, registry: er.EntityRegistry
) -> None:
    add(registry, "fritz", "external_ip")
    add(registry, "upnp", "external_ip")
    assert async_suggested_home_addresses(hass) == []


async def test_what_is_disabled_is_not_proposed(
    hass: HomeAssistant, registry: er.EntityRegistry
) -> None:
    off = add(registry, "upnp", "external_ip")
    on = add(registry, "fritz", "external_ip")
    registry.async_update_entity(off, disabled_by=er.RegistryEntryDisabler.USER)
    assert async_suggested_home_addresses(hass) == [on]


@pytest.mark.parametrize("platform", ROUTERS)
def test_home_assistant_has_these_entities(platform: str) -> None:
    package = find_spec(f"homeassistant.components.{platform}")
    assert package is not None
    assert package.origin is not None
    texts = json.loads((Path(package.origin).parent / "strings.json").read_text())
    assert set(ROUTERS[platform]) <= texts["entity"]["sensor"].keys()
