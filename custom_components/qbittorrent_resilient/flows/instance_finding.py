"""What the form found out about the way that a server's torrents take."""

from collections.abc import Mapping
from enum import StrEnum
import re
from typing import Any

from homeassistant.core import HomeAssistant

from ..const import CONF_GLUETUN, CONF_REQUIRES_VPN
from ..core import names
from ..core.qbittorrent import Binding
from .words import async_words

_UNUSUAL = re.compile(r"[^\w .:%{}()-]")
"""What no name of an interface has, but markup has."""
_MOST_CHARACTERS = 40


class Finding(StrEnum):
    """How a server uses the VPN; the value is the key of its text."""

    GLUETUN = "gluetun"
    BOUND = "bound"
    MISSING = "missing"
    """Bound to an interface that is not there."""
    PEERS = "peers"
    """A proxy hides its address from trackers, but not from peers."""
    EXPOSED = "exposed"
    """Not bound, with an interface of a VPN beside another one."""
    NOT_BOUND = "not_bound"


async def async_finding_text(
    hass: HomeAssistant, name: str, data: Mapping[str, Any], binding: Binding | None
) -> str:
    """Return one line on an instance that requires the VPN, in Home Assistant's language, or "".

    It is shown as Markdown.
    """
    if not data[CONF_REQUIRES_VPN]:
        return ""
    finding = Finding.GLUETUN if data.get(CONF_GLUETUN) else _finding(binding)
    if finding is None:
        return ""
    words = await async_words(hass, "instance_finding")
    return words[finding].format(name=names.markdown(name), interface=_place(binding))


def _finding(binding: Binding | None) -> Finding | None:
    if binding is None:
        return None
    if binding.lacks_its_interface:
        return Finding.MISSING
    if binding.is_open_to_peers:
        return Finding.PEERS
    if binding.is_bound:
        return Finding.BOUND
    return Finding.EXPOSED if binding.has_tunnel_and_other else Finding.NOT_BOUND


def _place(binding: Binding | None) -> str:
    """Return what a server is bound to, as plain text: it comes from the server."""
    text = "" if binding is None else next(filter(None, binding.place), "")
    return _UNUSUAL.sub("", text)[:_MOST_CHARACTERS]
