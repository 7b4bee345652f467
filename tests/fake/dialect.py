"""What differs between the qBittorrent versions, one table entry per version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Dialect:
    """One version of qBittorrent, as measured on a real server; the defaults are those of 5.1.0."""

    name: str
    webapi: str
    build: Mapping[str, Any]

    login_status: int = 200
    login_text: str = "Ok."
    login_refused_status: int = 200
    login_refused_text: str = "Fails."
    cookie: str = "SID"
    cookie_attributes: tuple[str, ...] = ("HttpOnly", "SameSite=Strict", "path=/")
    cookie_expires: bool = False
    session_limit: int | None = None
    api_key: bool = False
    checks_fetch_site: bool = False
    trusts_forwarded_host: bool = True

    counts_adds: bool = False
    checks_hex: bool = False
    fetches_ftp: bool = False
    stop_field: str = "stopped"
    stopped_state: str = "stoppedDL"
    trims_tags: bool = True
    creates_parents: bool = False
    tmm_drops_save_path: bool = False

    counts_torrents: bool = True
    tells_launch_time: bool = False
    names_unknown_action: bool = False
    names_missing: bool = False
    head_allowed: bool = True
    other_method_status: int = 501
    silent_reason: bool = False

    offset_wraps: bool = True
    names_tracker: bool = True
    external_address: bool = True
    sparse_maindata: bool = True
    process_text: str = ". Process ID: 4711"
    first_messages: tuple[tuple[int, str], ...] = ()
    torrent_fields: Mapping[str, Any] = field(default_factory=dict)
    category_fields: Mapping[str, Any] = field(default_factory=dict)
    state_fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The answer of app/version."""
        return f"v{self.name}"


_FIELDS_5: dict[str, Any] = {
    "comment": "",
    "completion_on": -1,
    "has_metadata": False,
    "inactive_seeding_time_limit": -2,
    "max_inactive_seeding_time": -1,
    "popularity": 0,
    "private": None,
    "reannounce": 0,
    "root_path": "",
    "seen_complete": -1,
}
_SHARE_LIMITS: dict[str, Any] = {"share_limit_action": "Default", "share_limits_mode": "Default"}

V4_5 = Dialect(
    name="4.5.2",
    webapi="2.8.19",
    build={
        "bitness": 64,
        "boost": "1.74.0",
        "libtorrent": "2.0.8.0",
        "openssl": "3.0.20",
        "qt": "5.15.8",
        "zlib": "1.2.13",
    },
    cookie_attributes=("HttpOnly", "path=/", "SameSite=Strict"),
    fetches_ftp=True,
    stop_field="paused",
    stopped_state="pausedDL",
    trims_tags=False,
    tmm_drops_save_path=True,
    counts_torrents=False,
    head_allowed=False,
    other_method_status=400,
    names_tracker=False,
    external_address=False,
    sparse_maindata=False,
    process_text="",
)

V5_1 = Dialect(
    name="5.1.0",
    webapi="2.11.4",
    build={
        "bitness": 64,
        "boost": "1.83.0",
        "libtorrent": "2.0.11.0",
        "openssl": "3.5.7",
        "platform": "linux",
        "qt": "6.8.2",
        "zlib": "1.3.1",
    },
    torrent_fields=_FIELDS_5,
    state_fields={"use_subcategories": False},
)

V5_3 = Dialect(
    name="5.3.0",
    webapi="2.16.2",
    build={
        "bitness": 64,
        "boost": "1.92.0",
        "libtorrent": "2.0.14.0",
        "openssl": "3.6.5",
        "platform": "linux",
        "qt": "6.11.2",
        "zlib": "1.3.2",
    },
    login_status=204,
    login_text="",
    login_refused_status=401,
    login_refused_text="Unauthorized",
    cookie="QBT_SID_{port}",
    cookie_attributes=("HttpOnly", "SameSite=Lax", "expires={expires}", "path=/"),
    cookie_expires=True,
    session_limit=15,
    api_key=True,
    checks_fetch_site=True,
    trusts_forwarded_host=False,
    counts_adds=True,
    checks_hex=True,
    creates_parents=True,
    tells_launch_time=True,
    names_unknown_action=True,
    names_missing=True,
    silent_reason=True,
    offset_wraps=False,
    first_messages=(
        (4, "Load Qt translation failed. Temporarily falling back to English."),
        (1, "Load qBittorrent translation successful. Locale: en."),
    ),
    torrent_fields=_FIELDS_5
    | _SHARE_LIMITS
    | {
        "connections_count": 0,
        "connections_limit": 100,
        "created_by": "",
        "creation_date": -1,
        "piece_size": -1,
        "pieces_have": 0,
        "pieces_num": -1,
        "total_wasted": 0,
    },
    category_fields=_SHARE_LIMITS
    | {
        "download_path": None,
        "inactive_seeding_time_limit": -2,
        "ratio_limit": -2,
        "seeding_time_limit": -2,
    },
    state_fields={"queued_tracker_announces": 0, "request_latency": 0, "session_state": False},
)

DIALECTS: tuple[Dialect, ...] = (V4_5, V5_1, V5_3)
