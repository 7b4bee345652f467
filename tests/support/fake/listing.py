"""How torrents look in torrents/info, and which of them a request asks for."""

from collections.abc import Callable, Iterable, Mapping
import json
from typing import Any
from urllib.parse import quote

from .answer import RefusalError, is_true, number
from .dialect import Dialect
from .torrents import Torrent

_SORT_KEYS: dict[str, Callable[[Torrent], Any]] = {
    "added_on": lambda torrent: int(torrent.added_on),
    "hash": lambda torrent: torrent.torrent_id,
    "infohash_v1": lambda torrent: torrent.magnet.v1,
    "infohash_v2": lambda torrent: torrent.magnet.v2,
    "name": lambda torrent: torrent.name,
}

_CONSTANT: dict[str, Any] = {
    "amount_left": 0,
    "availability": 0,
    "completed": 0,
    "completion_on": 0,
    "content_path": "",
    "dl_limit": 0,
    "dlspeed": 0,
    "download_path": "",
    "downloaded": 0,
    "downloaded_session": 0,
    "eta": 8640000,
    "force_start": False,
    "max_ratio": -1,
    "max_seeding_time": -1,
    "num_complete": 0,
    "num_incomplete": 0,
    "num_leechs": 0,
    "num_seeds": 0,
    "priority": 1,
    "progress": 0,
    "ratio": 0,
    "ratio_limit": -2,
    "seeding_time": 0,
    "seeding_time_limit": -2,
    "seen_complete": 0,
    "size": 0,
    "super_seeding": False,
    "time_active": 0,
    "total_size": -1,
    "up_limit": 0,
    "uploaded": 0,
    "uploaded_session": 0,
    "upspeed": 0,
}


def as_row(torrent: Torrent, dialect: Dialect) -> dict[str, Any]:
    """Return one element of torrents/info."""
    magnet = torrent.magnet
    topics = [f"xt=urn:btih:{magnet.v1}"] if magnet.v1 else []
    topics += [f"xt=urn:btmh:1220{magnet.v2}"] if magnet.v2 else []
    topics += [f"dn={quote(magnet.name, safe='')}"] if magnet.name else []
    topics += [f"tr={quote(tracker, safe='')}" for tracker in magnet.trackers]
    row = {
        "added_on": int(torrent.added_on),
        "auto_tmm": torrent.auto_tmm,
        "category": torrent.category,
        "f_l_piece_prio": torrent.first_last_first,
        "hash": magnet.torrent_id,
        "infohash_v1": magnet.v1,
        "infohash_v2": magnet.v2,
        "last_activity": int(torrent.added_on),
        "magnet_uri": "magnet:?" + "&".join(topics),
        "name": torrent.name,
        "save_path": torrent.save_path,
        "seq_dl": torrent.sequential,
        "state": dialect.stopped_state if torrent.stopped else "metaDL",
        "tags": ", ".join(torrent.tags),
        "tracker": magnet.trackers[0] if magnet.trackers and dialect.names_tracker else "",
        "trackers_count": len(magnet.trackers),
    }
    return dict(sorted((_CONSTANT | dict(dialect.torrent_fields) | row).items()))


def as_text(torrent: Torrent, dialect: Dialect) -> str:
    """Return one element of torrents/info as JSON, made once for a torrent."""
    if not torrent.cached_json:
        torrent.cached_json = json.dumps(
            as_row(torrent, dialect), separators=(",", ":"), ensure_ascii=False
        )
    return torrent.cached_json


def select(
    torrents: Iterable[Torrent], params: Mapping[str, str], dialect: Dialect
) -> list[Torrent]:
    """Return the torrents that a request asks for, in the order it asks for."""
    rows = _filtered(torrents, params, dialect)
    key = params.get("sort", "")
    if rows and key and key not in as_row(rows[0], dialect):
        raise RefusalError(400, "'sort' parameter is invalid")
    if key:
        value_of = _SORT_KEYS.get(key, lambda torrent: as_row(torrent, dialect)[key])
        rows.sort(key=value_of, reverse=is_true(params.get("reverse", "")))
    else:
        rows.sort(key=lambda torrent: torrent.torrent_id[::-1])
    limit, offset = number(params.get("limit", "")), number(params.get("offset", ""))
    if offset < 0:
        offset += len(rows)
    if offset < 0 or (offset >= len(rows) and dialect.offset_wraps):
        offset = 0
    return rows[offset : offset + limit] if limit > 0 else rows[offset:]


def _filtered(
    torrents: Iterable[Torrent], params: Mapping[str, str], dialect: Dialect
) -> list[Torrent]:
    """Return the torrents that pass the filters of a request."""
    rows = list(torrents)
    if hashes := params.get("hashes", ""):
        wanted = {info_hash.lower() for info_hash in hashes.split("|")}
        rows = [torrent for torrent in rows if torrent.torrent_id in wanted]
    if "category" in params:
        rows = [torrent for torrent in rows if torrent.category == params["category"]]
    if "tag" in params:
        tag = params["tag"]
        rows = [torrent for torrent in rows if (tag in torrent.tags if tag else not torrent.tags)]
    if params.get("filter", "").lower() == dialect.stop_field:
        rows = [torrent for torrent in rows if torrent.stopped]
    return rows
