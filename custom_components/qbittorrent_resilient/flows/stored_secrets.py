"""What is stored and never shown again: passwords, keys, and the values of headers.

The form shows such a field empty, and a header with a mask in place of its value. What is left so
stays as it is stored. A blank removes what is stored; so does clearing the user name beside it.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import CONF_PASSWORD, CONF_USERNAME

from ..const import (
    CONF_API_KEY,
    CONF_DEFAULTS,
    CONF_GLUETUN,
    CONF_GLUETUN_API_KEY,
    CONF_GLUETUN_PASSWORD,
    CONF_GLUETUN_USERNAME,
    CONF_HEADERS,
    CONF_PROXY,
    CONF_PROXY_PASSWORD,
    CONF_PROXY_USERNAME,
)

type Fields = dict[str, Any]

MASK = "••••••"
"""No header can have such a value."""
_SECRETS = (CONF_PASSWORD, CONF_API_KEY)
_SECRETS_IN = {
    CONF_PROXY: (CONF_PROXY_PASSWORD,),
    CONF_GLUETUN: (CONF_GLUETUN_API_KEY, CONF_GLUETUN_PASSWORD),
}
_LOGINS_IN = {
    CONF_PROXY: (CONF_PROXY_USERNAME, CONF_PROXY_PASSWORD),
    CONF_GLUETUN: (CONF_GLUETUN_USERNAME, CONF_GLUETUN_PASSWORD),
}


def without_secrets(stored: Fields) -> Fields:
    """Return the fields as the form shows them."""
    shown = _emptied(stored, _SECRETS)
    for part, secrets in _SECRETS_IN.items():
        if part in stored:
            shown[part] = _emptied(stored[part], secrets)
    if CONF_HEADERS in shown.get(CONF_PROXY, {}):
        lines = shown[CONF_PROXY][CONF_HEADERS]
        shown[CONF_PROXY][CONF_HEADERS] = [f"{_split(line)[0]}: {MASK}" for line in lines]
    return shown


def completed(entered: Fields, stored: Fields) -> Fields:
    """Return what was entered, with what is stored for the fields that keep it.

    A section that is left out stays as well. A key that is entered takes the place of a stored
    password, and the other way round.
    """
    data = {**entered}
    for part in (CONF_PROXY, CONF_GLUETUN, CONF_DEFAULTS):
        if part in stored:
            data.setdefault(part, stored[part])
    for secret, other in (_SECRETS, _SECRETS[::-1]):
        data[secret] = _kept(entered[secret], stored.get(secret, ""))
        if entered[other].strip() and not entered[secret].strip():
            data[secret] = ""
    if not entered[CONF_USERNAME].strip():
        data[CONF_PASSWORD] = entered[CONF_PASSWORD].strip() and entered[CONF_PASSWORD]
    for part, secrets in _SECRETS_IN.items():
        if stored.get(part) and entered.get(part) is not None:
            data[part] = _completed_section(entered[part], stored[part], part, secrets)
    return data


def _completed_section(
    entered: Fields, stored: Fields, part: str, secrets: tuple[str, ...]
) -> Fields:
    data = {**entered}
    for secret in secrets:
        data[secret] = _kept(entered.get(secret, ""), stored.get(secret, ""))
    username, password = _LOGINS_IN[part]
    if not entered.get(username, "").strip() and not entered.get(password, "").strip():
        data[password] = ""
    if CONF_HEADERS in entered:
        known = {
            name.lower(): line
            for line in stored.get(CONF_HEADERS, ())
            for name, _ in [_split(line)]
        }
        data[CONF_HEADERS] = [_completed_line(line, known) for line in entered[CONF_HEADERS]]
    return data


def _kept(entered: str, stored: str) -> str:
    """Return what is stored from now on: a blank removes it."""
    return (entered if entered.strip() else "") if entered else stored


def _completed_line(line: str, known: Mapping[str, str]) -> str:
    """Return a header with its stored value, if its line has none or the mask."""
    name, value = _split(line)
    return known.get(name.lower(), line) if value in ("", MASK) else line


def _split(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _emptied(fields: Fields, secrets: tuple[str, ...]) -> Fields:
    return {name: "" if name in secrets else value for name, value in fields.items()}
