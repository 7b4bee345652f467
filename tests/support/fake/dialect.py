"""What differs between the qBittorrent releases, one table entry for each.

4.5.2, 5.1.0 and both builds of 5.3.0 are held against real servers in every detail
(live/test_fake_is_true.py). Of the others the differences were measured that QBITTORRENT_API.md
lists at its end; in the rest they are taken to be like the nearest of these three.
"""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Dialect:
    """One build of qBittorrent, as measured on a real server; the defaults are those of 5.1.0."""

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
    basic_login: bool = False
    """Whether `Authorization: Basic` is a login: each that is wrong counts towards a ban."""
    checks_fetch_site: bool = False
    trusts_forwarded_host: bool = True

    counts_adds: bool = False
    fetches_ftp: bool = False
    stop_field: str = "stopped"
    stopped_state: str = "stoppedDL"
    trims_tags: bool = True
    creates_parents: bool = False
    tmm_drops_save_path: bool = False
    adds_stopped_preference: str = "add_stopped_enabled"

    counts_torrents: bool = True
    tells_launch_time: bool = False
    names_unknown_action: bool = False
    names_missing: bool = False
    head_allowed: bool = True
    other_method_status: int = 501
    good_reason: str | None = None
    """The reason phrase of every status below 400; None for the right one."""

    logs_failed_sqlite: bool = False
    """Whether resume data in SQLite that cannot be stored is logged, as it is in files."""
    offset_wraps: bool = True
    names_tracker: bool = True
    external_address: bool = True
    numbers_proxies: bool = False
    tells_lost_interface: bool = True
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

    @property
    def libtorrent(self) -> tuple[int, ...]:
        """The version of libtorrent, which the same release may be built with several of."""
        return tuple(map(int, str(self.build["libtorrent"]).split(".")))

    @property
    def checks_hex(self) -> bool:
        """Whether a hash of 40 characters that are no hex digits is refused: libtorrent does."""
        return self.libtorrent > (2, 0, 11, 0)

    @property
    def label(self) -> str:
        """A name that no other entry has."""
        twin = self.name == V5_3.name and self.libtorrent != V5_3.libtorrent
        return f"{self.version}-{'.'.join(map(str, self.libtorrent[:3]))}" if twin else self.version


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
    adds_stopped_preference="start_paused_enabled",
    counts_torrents=False,
    logs_failed_sqlite=True,
    head_allowed=False,
    other_method_status=400,
    names_tracker=False,
    external_address=False,
    numbers_proxies=True,
    tells_lost_interface=False,
    sparse_maindata=False,
    process_text="",
)

V4_6 = replace(
    V4_5,
    name="4.6.7",
    webapi="2.9.3",
    build=dict(V4_5.build) | {"libtorrent": "2.0.11.0"},
    logs_failed_sqlite=False,
    tmm_drops_save_path=False,
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

V5_0 = replace(V5_1, name="5.0.5", webapi="2.11.2", external_address=False)

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
    basic_login=True,
    checks_fetch_site=True,
    trusts_forwarded_host=False,
    counts_adds=True,
    creates_parents=True,
    tells_launch_time=True,
    names_unknown_action=True,
    names_missing=True,
    good_reason="",
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

_OLDER_LIBTORRENT = dict(V5_3.build) | {"libtorrent": "2.0.11.0"}

V5_2 = replace(
    V5_3,
    name="5.2.3",
    webapi="2.15.1",
    build=_OLDER_LIBTORRENT,
    session_limit=None,
    checks_fetch_site=False,
    good_reason="OK",
)

HEAD = replace(V5_3, name="5.3.0alpha1", webapi="2.16.1", build=_OLDER_LIBTORRENT)
"""The development tree of August 2026."""

V5_3_BACKPORT = replace(V5_3, build=dict(V5_1.build) | {"openssl": "3.5.9"})
"""The 5.3.0 of trixie-backports."""

DIALECTS: tuple[Dialect, ...] = (V4_5, V4_6, V5_0, V5_1, V5_2, HEAD, V5_3_BACKPORT, V5_3)
GENERATIONS: tuple[Dialect, ...] = (V4_5, V5_1, V5_2, V5_3)
"""One of each kind, for tests that take long."""
