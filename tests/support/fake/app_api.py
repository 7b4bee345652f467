"""The endpoints app/*, transfer/info, log/main and sync/maindata."""

from copy import replace
import json
from typing import TYPE_CHECKING, Any

from .answer import Answer, Call, Route, as_json, number, text
from .listing import as_text
from .torrents_api import TorrentsApi

if TYPE_CHECKING:
    from .server import FakeQBittorrent

_PREFERENCES = {
    "web_ui_ban_duration": "ban_duration",
    "web_ui_csrf_protection_enabled": "csrf_protection",
    "web_ui_domain_list": "server_domains",
    "web_ui_host_header_validation_enabled": "host_header_validation",
    "web_ui_max_auth_fail_count": "max_failures",
    "web_ui_port": "own_port",
    "web_ui_session_timeout": "session_timeout",
    "web_ui_username": "username",
}


class AppApi:
    """The endpoints about one server as a whole."""

    def __init__(self, server: FakeQBittorrent, torrents: TorrentsApi) -> None:
        """Attach to the server."""
        self._server = server
        self._torrents = torrents

    def routes(self) -> dict[str, Route]:
        """Return the endpoints of this version."""
        server, dialect = self._server, self._server.dialect
        routes = {
            "app/buildInfo": Route(lambda _: as_json(dialect.build)),
            "app/networkInterfaceList": Route(lambda _: as_json(self._interfaces())),
            "app/defaultSavePath": Route(lambda _: text(server.torrents.default_save_path)),
            "app/preferences": Route(self._preferences),
            "app/setPreferences": Route(self._set_preferences, post_only=True),
            "app/shutdown": Route(self._shutdown, post_only=True),
            "app/version": Route(lambda _: text(dialect.version)),
            "app/webapiVersion": Route(lambda _: text(dialect.webapi)),
            "log/main": Route(lambda call: as_json(server.journal.select(call.params))),
            "sync/maindata": Route(self._maindata),
            "transfer/info": Route(lambda _: as_json(self._transfer())),
        }
        if dialect.tells_launch_time:
            launch = Route(lambda _: as_json({"launch_time": server.launch_time}))
            routes["app/processInfo"] = launch
        if dialect.api_key:
            routes["app/rotateAPIKey"] = Route(self._rotate_key, post_only=True)
            routes["app/deleteAPIKey"] = Route(self._delete_key, post_only=True)
        return routes

    def _preferences(self, _: Call) -> Answer:
        """Tell the few settings that matter to a client."""
        server, settings = self._server, self._server.settings
        values: dict[str, Any] = {
            name: getattr(settings, attribute) for name, attribute in _PREFERENCES.items()
        }
        values |= {
            "auto_tmm_enabled": server.torrents.auto_tmm,
            "bypass_local_auth": not settings.local_host_auth,
            "resume_data_storage_type": server.resume_data,
            "save_path": server.torrents.default_save_path,
            server.dialect.adds_stopped_preference: server.torrents.adds_stopped,
        }
        values |= server.network.preferences()
        if server.dialect.session_limit:
            values["web_ui_sessions_count_limit"] = server.dialect.session_limit
        if server.dialect.api_key:
            values["web_ui_api_key"] = settings.api_key
        return as_json(values)

    def _set_preferences(self, call: Call) -> Answer:
        """Change settings; what is not understood is ignored."""
        call.require("json", told=self._server.dialect.names_missing)
        try:
            values = json.loads(call.params["json"])
        except ValueError:
            return text("")
        server = self._server
        before = self._settings()
        for name, value in values.items():
            if name in _PREFERENCES:
                setattr(server.settings, _PREFERENCES[name], value)
            elif name == "bypass_local_auth":
                server.settings.local_host_auth = not value
            elif name == "resume_data_storage_type":
                server.resume_data = value if value == "SQLite" else "Legacy"
            elif name == "auto_tmm_enabled":
                server.torrents.auto_tmm = value
            elif name == server.dialect.adds_stopped_preference:
                server.torrents.adds_stopped = value
        if server.network.change(values):
            server.network.listen()
        if before != self._settings():
            server.access.renew_cookies()
        return text("")

    def _settings(self) -> tuple[object, ...]:
        """Return what can be changed, as it is now."""
        torrents = self._server.torrents
        return replace(self._server.settings), torrents.auto_tmm, torrents.adds_stopped

    def _shutdown(self, _: Call) -> Answer:
        """Stop the server after the answer."""
        self._server.shut_down_soon()
        return text("")

    def _rotate_key(self, _: Call) -> Answer:
        """Make a new API key."""
        self._server.access.renew_cookies()
        return as_json({"apiKey": self._server.new_api_key()})

    def _delete_key(self, _: Call) -> Answer:
        """Delete the API key."""
        self._server.access.renew_cookies()
        self._server.settings.api_key = ""
        return Answer(204, content_type="")

    def _transfer(self) -> dict[str, Any]:
        """Return transfer/info."""
        numbers = ("info_data", "info_speed", "rate_limit")
        state: dict[str, Any] = {f"{way}_{name}": 0 for way in ("dl", "up") for name in numbers}
        state |= {"connection_status": self._server.connection_status, "dht_nodes": 0}
        if self._server.dialect.external_address:
            external = self._server.network.external
            state |= {f"last_external_address_v{one}": external.get(one, "") for one in (4, 6)}
        return state

    def _interfaces(self) -> list[dict[str, str]]:
        """Return app/networkInterfaceList: those with an address."""
        return [{"name": one, "value": one} for one in self._server.network.interfaces]

    def _maindata(self, call: Call) -> Answer:
        """Tell everything, or what changed since the client's last time."""
        server, session = self._server, call.session
        assert session is not None
        rid = number(call.params.get("rid", ""))
        full = not rid or rid != session.rid
        old = {} if full else session.told
        rows = {torrent.torrent_id: as_text(torrent, server.dialect) for torrent in server.torrents}
        state = self._transfer() | dict(server.dialect.state_fields)
        new: dict[str, Any] = {
            "categories": self._torrents.categories(),
            "server_state": state | {"free_space_on_disk": server.free_space},
            "tags": sorted(server.torrents.tags),
            "torrents": rows,
            "trackers": {},
        }
        session.rid = session.rid + 1 if rid else 1
        session.told = new
        known = old.get("torrents", {})
        changed = {name: value for name, value in new.items() if value != old.get(name)}
        torrents = {key: json.loads(row) for key, row in rows.items() if known.get(key) != row}
        for row in torrents.values():
            del row["hash"]
        data = changed | {"torrents": torrents}
        if not full or server.dialect.sparse_maindata:
            data = {name: value for name, value in data.items() if value}
        if removed := [key for key in known if key not in rows]:
            data["torrents_removed"] = removed
        return as_json(data | {"rid": session.rid} | ({"full_update": True} if full else {}))
