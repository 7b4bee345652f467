"""Names that several modules of the integration share."""

from homeassistant.const import CONF_SCAN_INTERVAL

DOMAIN = "qbittorrent_resilient"
TITLE = "qBittorrent Resilient"
SUBENTRY_INSTANCE = "instance"
TROUBLESHOOTING_URL = (
    "https://github.com/qbittorrent-resilient/qbittorrent-resilient#troubleshooting"
)

CONF_VPN_TARGETS = "vpn_targets"
CONF_API_KEY = "api_key"
CONF_REQUIRES_VPN = "requires_vpn"
CONF_PRIORITY = "priority"
CONF_DEFAULTS = "defaults"
CONF_CATEGORY = "category"
CONF_SAVE_PATH = "save_path"
CONF_TAGS = "tags"
CONF_STOPPED = "stopped"

CONF_FAILURES_BEFORE_DOWN = "failures_before_down"
CONF_SUCCESSES_BEFORE_UP = "successes_before_up"
CONF_QUEUE_EXPIRY = "queue_expiry"

DEFAULT_OPTIONS = {
    CONF_SCAN_INTERVAL: 30,
    CONF_FAILURES_BEFORE_DOWN: 3,
    CONF_SUCCESSES_BEFORE_UP: 2,
    CONF_QUEUE_EXPIRY: 21,
}
"""What counts where the user has not said otherwise: seconds, rounds, rounds, days."""
