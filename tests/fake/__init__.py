"""A fake qBittorrent: an HTTP server that speaks each version's dialect, and fails on demand."""

from .dialect import DIALECTS, V4_5, V5_1, V5_3, Dialect
from .server import FakeQBittorrent, certificate

__all__ = ["DIALECTS", "V4_5", "V5_1", "V5_3", "Dialect", "FakeQBittorrent", "certificate"]
