"""The view: magnets, servers and their history, of what there is to show."""

from collections.abc import Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass

from ..const import DOMAIN
from ..core.health.route import RouteState
from ..core.health.status import InstanceStatus
from . import cards
from .cards import DEVICE, ENTITY, Card, Name
from .overview import Entities, Overview, Shown
from .texts import Texts

ADD_CARD = "custom:qbittorrent-resilient-add"
"""The field to paste links into; `frontend/dashboard.js` has it."""
DAYS = 30


@dataclass(frozen=True, slots=True)
class Colours:
    """Of states; `bad` is that of a status that is not named here."""

    vpn: Mapping[str, Sequence[str]]
    status: Mapping[str, Sequence[str]]
    route: Mapping[str, Sequence[str]]
    waiting: str
    bad: str


BY_STATE = Colours(
    vpn={"green": ("on",)},
    status={
        "green": (InstanceStatus.OK.value,),
        "orange": (InstanceStatus.VPN_DOWN.value, InstanceStatus.TIMEOUT.value),
    },
    route={
        "green": (RouteState.VPN.value,),
        "orange": (RouteState.EXPOSED.value,),
        "red": (RouteState.LEAKING.value,),
    },
    waiting="orange",
    bad="red",
)
PLAIN = Colours(vpn={}, status={}, route={}, waiting="", bad="")
"""Without colours each entity has one tile, which is easier to keep where a person writes it."""

HUB_NAMES = {
    "vpn": "entity.binary_sensor.vpn.name",
    "active_instance": "entity.sensor.active_instance.name",
    "queued_magnets": "entity.sensor.queued_magnets.name",
    "failed_magnets": "entity.sensor.failed_magnets.name",
}


def view(
    overview: Overview, texts: Texts, components: AbstractSet[str], colours: Colours = BY_STATE
) -> Card:
    """Return the whole view; `components` are Home Assistant's own that run."""
    sections = [
        _magnets(overview.hub, texts, colours),
        _servers(overview, texts, colours),
        _history(overview, texts, components),
    ]
    return {
        "type": "sections",
        "max_columns": 3,
        # A section of nothing but its heading has nothing to show.
        "sections": [one for one in sections if len(one["cards"]) > 1],
    }


def _magnets(hub: Entities, texts: Texts, colours: Colours) -> Card:
    """Return the field for links, the counts, and what can be done about them."""
    found: list[Card] = [{"type": ADD_CARD, "grid_options": {"columns": 12, "rows": "auto"}}]
    queued, failed = hub.get("queued_magnets"), hub.get("failed_magnets")
    if queued:
        found += cards.tiles_of_count(queued, _name(hub, "queued_magnets", texts), colours.waiting)
    if failed:
        found += cards.tiles_of_count(failed, _name(hub, "failed_magnets", texts), colours.bad)
    if queued and (retry := hub.get("retry_queue")):
        name, something = texts["entity.button.retry_queue.name"], cards.is_above_zero(queued)
        found.append(cards.button(retry, name, "mdi:replay", cards.press(retry), something))
    if failed:
        found += _after_failures(failed, texts)
    for count, key, title in ((queued, "queue", "queued"), (failed, "failed", "failed")):
        if count and (shown := hub.get(key)):
            title = texts[f"selector.list.options.{title}"]
            found.append(cards.to_do_list(shown, title, count))
    return cards.section(
        cards.heading(texts["entity.event.magnets.name"], "mdi:magnet"),
        *found,
    )


def _after_failures(failed: Shown, texts: Texts) -> list[Card]:
    """Return the buttons for the failed list."""
    something = cards.is_above_zero(failed)
    retry = {"perform_action": f"{DOMAIN}.retry_failed", "data": {"all": True}}
    discard = {
        "perform_action": f"{DOMAIN}.remove_magnets",
        "data": {"all": True, "list": "failed"},
        "confirmation": {"text": texts.own("discard_failed_confirm")},
    }
    name = texts["services.retry_failed.name"]
    return [
        cards.button(failed, name, "mdi:backup-restore", retry, something),
        cards.button(failed, texts.own("discard_failed"), "mdi:tray-remove", discard, something),
    ]


def _servers(overview: Overview, texts: Texts, colours: Colours) -> Card:
    """Return the VPN, and each server with its route."""
    hub, found = overview.hub, list[Card]()
    if vpn := hub.get("vpn"):
        found.append(cards.warning(texts.own("vpn_is_down"), cards.is_state(vpn, "off")))
        name = _name(hub, "vpn", texts)
        found += cards.tiles_by_state(vpn, name, colours.vpn, unseen=["unavailable"])
    if active := hub.get("active_instance"):
        found.append(cards.tile(active, _name(hub, "active_instance", texts)))
    for server in overview.servers:
        if status := server.get("status"):
            found += cards.tiles_by_state(status, DEVICE, colours.status, otherwise=colours.bad)
        if route := server.get("route"):
            found += cards.tiles_by_state(route, [DEVICE, ENTITY], colours.route)
    badges = []
    if check := hub.get("check_health"):
        name = texts["entity.button.check_health.name"]
        badges.append(cards.badge(name, "mdi:stethoscope", cards.press(check)))
    return cards.section(
        cards.heading(texts.own("servers"), "mdi:server-network", *badges),
        *found,
    )


def _history(overview: Overview, texts: Texts, components: AbstractSet[str]) -> Card:
    """Return the last day of health and queue, what happened, and the last month of the queue."""
    hub, found = overview.hub, list[Card]()
    health = [*_of_hub(hub, texts, "vpn", "active_instance"), *_statuses(overview)]
    counts = _of_hub(hub, texts, "queued_magnets", "failed_magnets")
    if "history" in components and health:
        found.append(cards.history(texts.own("health"), *health))
    if "history" in components and counts:
        found.append(cards.history(texts["entity.event.magnets.name"], *counts))
    told = [shown for shown, _ in health]
    if event := hub.get("magnets"):
        told.append(event)
    if "logbook" in components and told:
        found.append(cards.logbook(*told))
    if "recorder" in components and counts:
        found.append(cards.statistics(texts.own("last_month"), DAYS, *counts))
    return cards.section(cards.heading(texts.own("history"), "mdi:chart-timeline"), *found)


def _statuses(overview: Overview) -> list[tuple[Shown, Name]]:
    return [(one["status"], DEVICE) for one in overview.servers if "status" in one]


def _of_hub(hub: Entities, texts: Texts, *keys: str) -> list[tuple[Shown, Name]]:
    """Return those of the hub's entities that are there, with their names."""
    return [(hub[key], _name(hub, key, texts)) for key in keys if key in hub]


def _name(hub: Entities, key: str, texts: Texts) -> Name:
    """Return the name in the language of the page, unless the user gave another."""
    return ENTITY if hub[key].is_renamed else texts[HUB_NAMES[key]]
