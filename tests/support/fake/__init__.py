"""A fake qBittorrent: an HTTP server that speaks each release's dialect, and fails on demand."""

from .dialect import DIALECTS, GENERATIONS, V4_5, V5_1, V5_2, V5_3, Dialect
from .server import FakeQBittorrent, certificate

__all__ = [
    "DIALECTS",
    "GENERATIONS",
    "V4_5",
    "V5_1",
    "V5_2",
    "V5_3",
    "Dialect",
    "FakeQBittorrent",
    "certificate",
]
