"""The built-in cards that the dashboard is made of, as the frontend wants them described."""

from collections.abc import Mapping, Sequence
from typing import Any

from .overview import Shown

type Card = dict[str, Any]
type Name = str | dict[str, str] | list[dict[str, str]]

DEVICE = {"type": "device"}
ENTITY = {"type": "entity"}
"""Names that the frontend looks up, so that they follow whatever the user calls things."""
FULL_WIDTH = {"columns": 12}


def section(*cards: Card) -> Card:
    """Return a section: a column of the desktop, and a part of the one column of a phone."""
    return {"type": "grid", "cards": list(cards)}


def heading(text: str, icon: str, *badges: Card) -> Card:
    """Return what stands above a section, with small buttons beside it."""
    card: Card = {"type": "heading", "heading": text, "icon": icon}
    return card | ({"badges": list(badges)} if badges else {})


def badge(text: str, icon: str, action: Card) -> Card:
    """Return a small button for a heading."""
    tap = {"action": "perform-action"} | action
    return {"type": "button", "text": text, "icon": icon, "tap_action": tap}


def tile(shown: Shown, name: Name, **more: Any) -> Card:
    """Return one entity with its state and since when."""
    card: Card = {"type": "tile", "entity": shown.entity_id, "name": name}
    return card | {"state_content": ["state", "last_changed"], "grid_options": FULL_WIDTH} | more


def tiles_by_state(
    shown: Shown,
    name: Name,
    colours: Mapping[str, Sequence[str]],
    *,
    otherwise: str = "",
    unseen: Sequence[str] = (),
) -> list[Card]:
    """Return the tile of an entity once for each colour, of which only one is visible.

    Built-in cards cannot choose a colour by the state. It is not to be seen in the states `unseen`.
    """
    cards = [
        tile(shown, name, color=colour, visibility=[is_state(shown, *states)])
        for colour, states in colours.items()
    ]
    elsewhere = [*(state for states in colours.values() for state in states), *unseen]
    last = tile(shown, name) | ({"color": otherwise} if otherwise else {})
    if elsewhere:
        last["visibility"] = [is_not_state(shown, *elsewhere)]
    return [*cards, last]


def tiles_of_count(shown: Shown, name: Name, colour: str) -> list[Card]:
    """Return the tile of a count; with a colour, it has that while there is something to count."""
    if not colour:
        return [tile(shown, name)]
    nothing = {"condition": "not", "conditions": [is_above_zero(shown)]}
    return [
        tile(shown, name, color=colour, visibility=[is_above_zero(shown)]),
        tile(shown, name, visibility=[nothing]),
    ]


def button(shown: Shown, text: str, icon: str, action: Card, *visibility: Card) -> Card:
    """Return a tile that is a button, there on some conditions; it has room for long words."""
    tap = {"action": "perform-action"} | action
    return {
        "type": "tile",
        "entity": shown.entity_id,
        "name": text,
        "icon": icon,
        "color": "primary",
        "hide_state": True,
        "tap_action": tap,
        "icon_tap_action": tap,
        "grid_options": FULL_WIDTH,
        "visibility": list(visibility),
    }


def press(shown: Shown) -> Card:
    """Return the action that presses one of the integration's buttons."""
    return {"perform_action": "button.press", "target": {"entity_id": shown.entity_id}}


def to_do_list(shown: Shown, title: str, count: Shown) -> Card:
    """Return a list that is there while something is counted."""
    return {
        "type": "todo-list",
        "entity": shown.entity_id,
        "title": title,
        "hide_create": True,
        "hide_section_headers": True,
        "visibility": [is_above_zero(count)],
    }


def warning(text: str, *visibility: Card) -> Card:
    """Return a text of our own that is to be seen; never one that somebody else wrote."""
    content = f"<ha-alert alert-type='warning'>{text}</ha-alert>"
    return {
        "type": "markdown",
        "text_only": True,
        "content": content,
        "visibility": list(visibility),
        "grid_options": FULL_WIDTH,
    }


def history(title: str, *entities: tuple[Shown, Name]) -> Card:
    """Return a graph of one day."""
    return {
        "type": "history-graph",
        "title": title,
        "hours_to_show": 24,
        "entities": [{"entity": shown.entity_id, "name": name} for shown, name in entities],
    }


def statistics(title: str, days: int, *entities: tuple[Shown, Name]) -> Card:
    """Return a graph of the most of each day."""
    return {
        "type": "statistics-graph",
        "title": title,
        "days_to_show": days,
        "period": "day",
        "stat_types": ["max"],
        "chart_type": "bar",
        "entities": [{"entity": shown.entity_id, "name": name} for shown, name in entities],
    }


def logbook(*shown: Shown) -> Card:
    """Return what happened within a day."""
    target = {"entity_id": [one.entity_id for one in shown]}
    return {"type": "logbook", "hours_to_show": 24, "target": target}


def is_state(shown: Shown, *states: str) -> Card:
    """Return the condition that an entity is in one of some states."""
    return {"condition": "state", "entity": shown.entity_id, "state": list(states)}


def is_not_state(shown: Shown, *states: str) -> Card:
    """Return the condition that an entity is in none of some states."""
    return {"condition": "state", "entity": shown.entity_id, "state_not": list(states)}


def is_above_zero(shown: Shown) -> Card:
    """Return the condition that a count is not zero."""
    return {"condition": "numeric_state", "entity": shown.entity_id, "above": 0}
