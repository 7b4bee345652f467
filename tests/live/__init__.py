"""Tests against real qBittorrent servers."""
