"""Real parts for the demo and for tests: qBittorrent, Home Assistant and a VPN."""
