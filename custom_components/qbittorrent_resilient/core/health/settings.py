"""One qBittorrent server as the user configured it."""

from dataclasses import dataclass, field

from ..gluetun import GluetunSettings
from ..qbittorrent.models import AddOptions, ServerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSettings(ServerSettings):
    """One qBittorrent server as the user configured it; `key` stays the same when it is edited.

    `priority` is its place among the instances, the lowest first. `defaults` apply to options that
    a magnet leaves open. `gluetun` is the one whose network this server uses, if the user says so.
    """

    key: str
    name: str
    requires_vpn: bool = False
    priority: int = 1
    defaults: AddOptions = field(default_factory=AddOptions)
    gluetun: GluetunSettings | None = None
