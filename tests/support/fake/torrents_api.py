"""The endpoints torrents/*."""

from itertools import takewhile
from typing import TYPE_CHECKING

from . import torrent_files
from .answer import JSON, Answer, Call, RefusalError, Route, as_json, text
from .listing import as_text, select
from .torrents import AddOptions, Outcome, is_bad_category

if TYPE_CHECKING:
    from .server import FakeQBittorrent


class TorrentsApi:
    """The endpoints about the torrents of one server."""

    def __init__(self, server: FakeQBittorrent) -> None:
        """Attach to the server."""
        self._server = server
        self._dialect = server.dialect

    def routes(self) -> dict[str, Route]:
        """Return the endpoints of this version."""
        torrents = self._server.torrents
        routes = {
            "torrents/add": Route(self._add, post_only=True),
            "torrents/categories": Route(lambda _: as_json(self.categories())),
            "torrents/createCategory": Route(self._create_category, post_only=True),
            "torrents/delete": Route(self._delete, post_only=True),
            "torrents/info": Route(self._list),
            "torrents/tags": Route(lambda _: as_json(sorted(torrents.tags))),
        }
        if self._dialect.counts_torrents:
            routes["torrents/count"] = Route(lambda _: text(str(len(torrents))))
        return routes

    def categories(self) -> dict[str, dict[str, object]]:
        """Return all categories as the API shows them."""
        fixed = dict(self._dialect.category_fields)
        categories = self._server.torrents.categories
        return {name: fixed | {"name": name, "savePath": categories[name]} for name in categories}

    def _add(self, call: Call) -> Answer:
        """Add torrents."""
        lines = (line.strip() for line in call.params.get("urls", "").split("\n"))
        options = AddOptions.from_form(call.params, self._dialect)
        files = {name: torrent_files.parse(data) for name, data in call.received.files.items()}
        good = [torrent for torrent in takewhile(bool, files.values()) if torrent]
        outcomes = self._server.torrents.add([line for line in lines if line], options, good)
        for name, torrent in files.items():
            if torrent is None:  # those before it are there
                raise RefusalError(415, f"Error: '{name}' is not a valid torrent file.")
        count = {kind: sum(outcome is kind for outcome, _ in outcomes) for kind in Outcome}
        nothing = not count[Outcome.ADDED] and not count[Outcome.PENDING]
        if not self._dialect.counts_adds:
            return text("Fails." if nothing else "Ok.")
        if nothing:
            return text("Conflict", 409)
        counts = {
            "added_torrent_ids": [key for kind, key in outcomes if kind is Outcome.ADDED],
            "failure_count": count[Outcome.REFUSED],
            "pending_count": count[Outcome.PENDING],
            "success_count": count[Outcome.ADDED],
        }
        return as_json(counts, 202 if count[Outcome.PENDING] else 200)

    def _list(self, call: Call) -> Answer:
        """List torrents."""
        rows = select(self._server.torrents, call.params, self._dialect)
        body = ",".join(as_text(torrent, self._dialect) for torrent in rows)
        return Answer(200, f"[{body}]".encode(), JSON)

    def _delete(self, call: Call) -> Answer:
        """Delete torrents."""
        call.require("hashes", "deleteFiles", told=self._dialect.names_missing)
        torrents, hashes = self._server.torrents, call.params["hashes"]
        everything = [torrent.torrent_id for torrent in torrents]
        torrents.delete(everything if hashes == "all" else hashes.split("|"))
        return text("")

    def _create_category(self, call: Call) -> Answer:
        """Create a category."""
        call.require("category", told=self._dialect.names_missing)
        name = call.params["category"]
        if not name:
            raise RefusalError(400, "Category cannot be empty")
        if is_bad_category(name):
            raise RefusalError(409, "Incorrect category name")
        if not self._server.torrents.create_category(name, call.params.get("savePath", "")):
            raise RefusalError(409, "Unable to create category")
        return text("")
