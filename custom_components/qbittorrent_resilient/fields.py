"""Checks of what users may enter for an add, shared by the flows and the actions."""

import re

from homeassistant.helpers import config_validation as cv
import probatio as vol

_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")


def plain_text(value: object) -> str:
    """Return one line of text without control characters and blanks around it."""
    text = cv.string(value).strip()
    if _CONTROL.search(text):
        raise vol.Invalid("must be one line without control characters")
    return text


def category(value: object) -> str:
    """Return a category that qBittorrent takes; with another it would add without any."""
    text = plain_text(value)
    if "\\" in text or "//" in text or text.startswith("/") or text.endswith("/"):
        raise vol.Invalid("must have no backslash, and slashes only between names")
    return text


def tag(value: object) -> str:
    """Return one tag; qBittorrent splits at commas."""
    text = plain_text(value)
    if not text or "," in text:
        raise vol.Invalid("must be a word or words without a comma")
    return text


def flag(value: object) -> bool:
    """Return true or false, whichever way it was written."""
    try:
        flag: bool = cv.boolean(value)
    except vol.Invalid:
        raise vol.Invalid("must be true or false") from None  # the other one quotes the value
    return flag
