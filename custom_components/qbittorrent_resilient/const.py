"""Names that several modules of the integration share."""

from typing import Any

from homeassistant.const import CONF_SCAN_INTERVAL

DOMAIN = "qbittorrent_resilient"
TITLE = "qBittorrent Resilient"
SUBENTRY_INSTANCE = "instance"
EVENT_MAGNETS = f"{DOMAIN}_magnets"
"""On the event bus, beside each event of the entity, so that the activity can say more of it."""
MINOR_VERSION = 2
"""Of what is stored of the entry; `migration.py` brings what is older up to date."""
TROUBLESHOOTING_URL = (
    "https://github.com/qbittorrent-resilient/qbittorrent-resilient#troubleshooting"
)

CONF_VPN_TARGETS = "vpn_targets"
CONF_HOME_ADDRESS = "home_address"
CONF_API_KEY = "api_key"
CONF_REQUIRES_VPN = "requires_vpn"
CONF_PRIORITY = "priority"
CONF_GLUETUN = "gluetun"
CONF_GLUETUN_URL = "gluetun_url"
CONF_GLUETUN_API_KEY = "gluetun_api_key"
CONF_GLUETUN_USERNAME = "gluetun_username"
CONF_GLUETUN_PASSWORD = "gluetun_password"  # noqa: S105  # a field
CONF_PROXY = "proxy"
CONF_PROXY_USERNAME = "proxy_username"
CONF_PROXY_PASSWORD = "proxy_password"  # noqa: S105  # the name of a field
CONF_HEADERS = "headers"
CONF_DEFAULTS = "defaults"
CONF_CATEGORY = "category"
CONF_SAVE_PATH = "save_path"
CONF_TAGS = "tags"
CONF_STOPPED = "stopped"
CONF_AUTOMATIC_MANAGEMENT = "automatic_management"
CONF_SEQUENTIAL = "sequential"
CONF_FIRST_LAST_PIECE_FIRST = "first_last_piece_first"
CONF_LOCAL_ONLY = "local_only"
CONF_WEB_LINKS = "web_links"
CONF_DEVICES = "devices"
POSTED_FILES = "posted_files"
"""A field of `add_magnets` for our own triggers: no user can give what is in it."""

CONF_FAILURES_BEFORE_DOWN = "failures_before_down"
CONF_SUCCESSES_BEFORE_UP = "successes_before_up"
CONF_QUEUE_EXPIRY = "queue_expiry"
CONF_REMEMBER_DAYS = "remember_days"
CONF_ASK_HOME_ADDRESS = "ask_home_address"
CONF_FETCH_LINKS = "fetch_links"
CONF_FETCH_PROXY = "fetch_proxy"

DEFAULT_OPTIONS: dict[str, Any] = {
    CONF_SCAN_INTERVAL: 30,
    CONF_FAILURES_BEFORE_DOWN: 3,
    CONF_SUCCESSES_BEFORE_UP: 2,
    CONF_ASK_HOME_ADDRESS: False,
    CONF_FETCH_LINKS: False,
    CONF_FETCH_PROXY: "",
    CONF_REMEMBER_DAYS: 0,
    CONF_QUEUE_EXPIRY: 21,
}
"""The defaults of the options: seconds, rounds, rounds, whether to ask, whether to fetch,
through what, days, days."""
OPTION_RANGES = {
    CONF_SCAN_INTERVAL: (10, 3600),
    CONF_FAILURES_BEFORE_DOWN: (1, 10),
    CONF_SUCCESSES_BEFORE_UP: (1, 10),
    CONF_REMEMBER_DAYS: (0, 365),
    CONF_QUEUE_EXPIRY: (1, 365),
}
"""The least and the most of each number."""
