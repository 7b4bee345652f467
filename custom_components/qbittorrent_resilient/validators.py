"""Validators of the options of an add, shared by the flows and the actions."""

import re

from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
import probatio as vol

from .const import DOMAIN

_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")


def plain_text(value: object) -> str:
    """Return a line of text without blanks around it; raises Invalid for control characters."""
    text = cv.string(value).strip()
    if _CONTROL.search(text):
        raise vol.Invalid("must be one line without control characters")
    return text


def text_or_list(value: object) -> str | list[object]:
    """Return a text or a list; templates write lists in other ways, too: `(a, b)` is a tuple."""
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    if not isinstance(value, str | list):
        raise vol.Invalid("must be a text or a list")
    return value


def category(value: object) -> str:
    """Return a category; qBittorrent would add magnets without any if it were invalid."""
    text = plain_text(value)
    if "\\" in text or "//" in text or text.startswith("/") or text.endswith("/"):
        raise vol.Invalid("must have no backslash, and slashes only between names")
    return text


def tag(value: object) -> str:
    """Return a tag, which has no comma, as qBittorrent splits tags there."""
    text = plain_text(value)
    if not text or "," in text:
        raise vol.Invalid("must be a word or words without a comma")
    return text


def flag(value: object) -> bool:
    """Return true or false, whichever way it was written."""
    try:
        flag: bool = cv.boolean(value)
    except vol.Invalid:
        raise vol.Invalid("must be true or false") from None  # the other error quotes the value
    return flag


def malformed(field: str, reason: str) -> ServiceValidationError:
    """Return the error for a malformed field of an action."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="malformed_field",
        translation_placeholders={"field": field, "reason": reason},
    )
