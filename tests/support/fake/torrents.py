"""The torrents of one server: what it takes, what it knows, what it lists."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
import re

from . import magnets
from .dialect import Dialect

_BAD_CATEGORY = re.compile(r"^/|/$|//|\\")


class Outcome(Enum):
    """What became of one source of an add."""

    ADDED = auto()
    REFUSED = auto()
    PENDING = auto()


@dataclass(frozen=True, slots=True)
class AddOptions:
    """The fields of torrents/add that the fake understands."""

    stopped: bool | None = None
    category: str = ""
    tags: tuple[str, ...] = ()
    save_path: str = ""
    auto_tmm: bool | None = None
    sequential: bool = False
    first_last_first: bool = False

    @classmethod
    def from_form(cls, form: Mapping[str, str], dialect: Dialect) -> AddOptions:
        """Read a form as this version does."""
        tags = form.get("tags", "").split(",")
        if dialect.trims_tags:
            tags = [tag.strip() for tag in tags]
        return cls(
            stopped=_flag(form, dialect.stop_field),
            category=form.get("category", ""),
            tags=tuple(sorted({tag for tag in tags if tag.strip()})),
            save_path=form.get("savepath", "").strip(),
            auto_tmm=_flag(form, "autoTMM"),
            sequential=bool(_flag(form, "sequentialDownload")),
            first_last_first=bool(_flag(form, "firstLastPiecePrio")),
        )


@dataclass(slots=True)
class Torrent:
    """One torrent and how it was added."""

    magnet: magnets.Magnet
    added_on: float
    visible_at: float
    stopped: bool
    category: str
    tags: tuple[str, ...]
    save_path: str
    auto_tmm: bool
    sequential: bool
    first_last_first: bool
    cached_json: str = ""
    saved: bool = True

    @property
    def torrent_id(self) -> str:
        """The `hash` field."""
        return self.magnet.torrent_id

    @property
    def name(self) -> str:
        """The `name` field."""
        return self.magnet.name or self.magnet.torrent_id


class TorrentList:
    """All torrents of a server; what was on disk survives its restart.

    `list_delay`: seconds from adding to listing; `never_listed`: hashes taken and forgotten.
    """

    def __init__(
        self, dialect: Dialect, clock: Callable[[], float], announce: Callable[[Torrent], object]
    ) -> None:
        """Start empty; each new torrent is announced."""
        self.default_save_path = "/downloads"
        self.auto_tmm = False
        self.adds_stopped = False
        self.list_delay = 0.0
        self.never_listed: set[str] = set()
        self.categories: dict[str, str] = {}
        self.tags: set[str] = set()
        self._dialect = dialect
        self._clock = clock
        self._announce = announce
        self._by_id: dict[str, Torrent] = {}
        self._by_info_hash: dict[str, Torrent] = {}

    def __len__(self) -> int:
        """Count the listed torrents."""
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Torrent]:
        """Iterate over the torrents listed by now."""
        now = self._clock()
        return (torrent for torrent in self._by_id.values() if torrent.visible_at <= now)

    def find(self, any_hash: str) -> Torrent | None:
        """Return the torrent with this v1, v2 or listed hash."""
        key = any_hash.lower()
        return self._by_info_hash.get(key) or self._by_id.get(key)

    def add(
        self,
        sources: Iterable[str],
        options: AddOptions,
        files: Iterable[magnets.Magnet] = (),
    ) -> list[tuple[Outcome, str]]:
        """Add what one request brings; tell of each source what became of it, and its `hash`."""
        dialect = self._dialect
        outcomes: list[tuple[Outcome, str]] = []
        new: list[magnets.Magnet] = []
        for source in sources:
            magnet = magnets.parse(source, strict_hex=dialect.checks_hex)
            if magnets.is_fetched(source, ftp=dialect.fetches_ftp):
                outcomes.append((Outcome.PENDING, ""))
            elif magnet is None or self._lists(magnet):
                outcomes.append((Outcome.REFUSED, ""))
            else:
                new.append(magnet)
                outcomes.append((Outcome.ADDED, magnet.torrent_id))
        for file in files:
            if self._lists(file):
                outcomes.append((Outcome.REFUSED, ""))
                if file.v1 and file.v2:  # what was added by one hash takes the metadata anyway
                    self.become_hybrid(file.v1, file.v2)
            else:
                new.append(file)
                outcomes.append((Outcome.ADDED, file.torrent_id))
        for magnet in new:
            self._insert(magnet, options)
        return outcomes

    def delete(self, ids: Iterable[str]) -> None:
        """Forget the torrents with these `hash` values."""
        for torrent_id in ids:
            if torrent := self._by_id.pop(torrent_id.lower(), None):
                for key in (torrent.magnet.v1, torrent.magnet.v2):
                    if self._by_info_hash.get(key) is torrent:
                        del self._by_info_hash[key]

    def keep_only(self, hashes: Iterable[str]) -> None:
        """Forget every torrent that has none of these hashes."""
        kept = {any_hash.lower() for any_hash in hashes}
        self.delete(
            [
                torrent_id
                for torrent_id, torrent in self._by_id.items()
                if not kept & {torrent_id, torrent.magnet.v1, torrent.magnet.v2}
            ]
        )

    def forget_unsaved(self) -> None:
        """Forget every torrent that could not be saved."""
        self.delete([key for key, torrent in self._by_id.items() if not torrent.saved])

    def become_hybrid(self, v1_hash: str, v2_hash: str) -> None:
        """Make one torrent with both hashes of what is known of either."""
        halves = [torrent for key in (v1_hash, v2_hash) if (torrent := self.find(key))]
        if not halves:
            raise KeyError(v1_hash)
        self.delete([torrent.torrent_id for torrent in halves])
        hybrid, old = halves[0], halves[0].magnet
        hybrid.magnet = magnets.Magnet(v1_hash.lower(), v2_hash.lower(), old.name, old.trackers)
        hybrid.cached_json = ""
        self._index(hybrid)

    def create_category(self, name: str, save_path: str = "") -> bool:
        """Create a category; False where it is there already."""
        if name in self.categories:
            return False
        if self._dialect.creates_parents:
            parts = name.split("/")
            for end in range(1, len(parts)):
                self.categories.setdefault("/".join(parts[:end]), "")
        self.categories[name] = save_path
        return True

    def _lists(self, magnet: magnets.Magnet) -> bool:
        """Whether a torrent with one of the hashes is listed."""
        known = [self._by_info_hash.get(key) for key in (magnet.v1, magnet.v2)]
        known.append(self._by_id.get(magnet.torrent_id))
        now = self._clock()
        return any(torrent is not None and torrent.visible_at <= now for torrent in known)

    def _insert(self, magnet: magnets.Magnet, options: AddOptions) -> None:
        """Put a torrent into the list, unless it is on its way there."""
        hashes = {magnet.v1, magnet.v2, magnet.torrent_id}
        if magnet.is_null or hashes & self.never_listed or hashes & self._by_info_hash.keys():
            return
        if magnet.torrent_id in self._by_id:
            return
        category = "" if is_bad_category(options.category) else options.category
        if category:
            self.create_category(category)
        self.tags.update(options.tags)
        save_path, auto_tmm = self._place(options, category)
        now = self._clock()
        torrent = Torrent(
            magnet=magnet,
            added_on=now,
            visible_at=now + self.list_delay,
            stopped=self.adds_stopped if options.stopped is None else options.stopped,
            category=category,
            tags=options.tags,
            save_path=save_path,
            auto_tmm=auto_tmm,
            sequential=options.sequential,
            first_last_first=options.first_last_first,
        )
        self._index(torrent)
        self._announce(torrent)

    def _place(self, options: AddOptions, category: str) -> tuple[str, bool]:
        """Return save path and whether the server manages it itself."""
        path, managed = options.save_path, options.auto_tmm
        if managed is None:
            managed = self.auto_tmm and (not path or self._dialect.tmm_drops_save_path)
        if managed:
            path = self.categories.get(category, "") or category
        if not path:
            return self.default_save_path, managed
        return path if path.startswith("/") else f"{self.default_save_path}/{path}", managed

    def _index(self, torrent: Torrent) -> None:
        """Make a torrent findable."""
        self._by_id[torrent.torrent_id] = torrent
        for key in (torrent.magnet.v1, torrent.magnet.v2):
            if key:
                self._by_info_hash[key] = torrent


def _flag(form: Mapping[str, str], name: str) -> bool | None:
    """Return a field that is true or false; None where it is neither."""
    return {"true": True, "false": False}.get(form.get(name, "").lower())


def is_bad_category(name: str) -> bool:
    """Whether the server refuses this name."""
    return _BAD_CATEGORY.search(name) is not None
