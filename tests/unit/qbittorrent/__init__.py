"""Tests of core/qbittorrent."""
