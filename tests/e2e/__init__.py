"""Chromium against a real Home Assistant and real qBittorrent servers, as a user would do it."""
