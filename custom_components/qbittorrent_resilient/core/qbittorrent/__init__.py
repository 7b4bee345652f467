"""A client for the Web API of qBittorrent 4.5 to 5.3."""

from .client import Client, Vitals, fitting
from .connection import Connection
from .dialect import AddAnswer

__all__ = ["AddAnswer", "Client", "Connection", "Vitals", "fitting"]
