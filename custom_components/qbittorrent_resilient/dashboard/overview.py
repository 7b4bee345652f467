"""Which entities the dashboard can show: those of the hub, and of each server by priority."""

from collections.abc import Mapping
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from ..const import CONF_PRIORITY, SUBENTRY_INSTANCE


@dataclass(frozen=True, slots=True)
class Shown:
    """One entity; `is_renamed` where the user gave it a name."""

    entity_id: str
    is_renamed: bool = False


type Entities = Mapping[str, Shown]
"""By the keys that stand in their unique ids, which no rename changes."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is to show."""

    hub: Entities
    servers: tuple[Entities, ...]


@callback
def async_overview(hass: HomeAssistant, entry: ConfigEntry) -> Overview:
    """Return the entities that are neither disabled nor hidden; the first server in line first."""
    subentries = sorted(entry.get_subentries_of_type(SUBENTRY_INSTANCE), key=_priority)
    hub: dict[str, Shown] = {}
    servers: dict[str, dict[str, Shown]] = {one.subentry_id: {} for one in subentries}
    for found in er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id):
        if found.disabled_by is not None or found.hidden_by is not None:
            continue
        owner = found.config_subentry_id or entry.entry_id
        entities = servers.get(owner) if found.config_subentry_id else hub
        if entities is not None:
            key = found.unique_id.removeprefix(f"{owner}_")
            entities[key] = Shown(found.entity_id, is_renamed=bool(found.name))
    return Overview(hub, tuple(one for one in servers.values() if one))


def _priority(subentry: ConfigSubentry) -> float:
    """Return its place in line; what is stored may be damaged, and then comes last."""
    priority = subentry.data.get(CONF_PRIORITY, 1)
    return priority if isinstance(priority, int | float) else float("inf")
