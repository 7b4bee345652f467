"""A client for the control server of gluetun: whether its tunnel is up, and its exit's address."""

from .control_server import ControlServer
from .look import GluetunLook, TunnelState
from .settings import GluetunSettings
from .url import InvalidUrlError, normalise_url

__all__ = [
    "ControlServer",
    "GluetunLook",
    "GluetunSettings",
    "InvalidUrlError",
    "TunnelState",
    "normalise_url",
]
