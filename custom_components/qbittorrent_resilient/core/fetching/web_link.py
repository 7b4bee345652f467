"""Web links: which can be fetched, what they are called where they are shown, how they are kept.

A web link is a secret: private trackers put keys into its query, users put credentials before its
host. Only the last part of its path is shown.
"""

from dataclasses import dataclass, field
from hashlib import sha256
import re
from urllib.parse import quote, unquote, urljoin, urlsplit

from yarl import URL

from .. import names
from ..errors import InvalidLinkError
from ..magnet import MAX_MAGNET_BYTES, Magnet

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_PLAIN = re.compile(r"[^!-~]")
_SCHEMES = ("http", "https")
_SOURCE = "&xs="


@dataclass(frozen=True, slots=True)
class WebLink:
    """A link that can be fetched; `str` and `repr` show neither its query nor its credentials."""

    url: URL = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> WebLink:
        """Check one link; raises InvalidLinkError, whose text says why, without the link."""
        text = text.strip(" \t")
        if len(text) > MAX_MAGNET_BYTES or len(text.encode(errors="replace")) > MAX_MAGNET_BYTES:
            raise InvalidLinkError("longer than 64 KiB")
        if _CONTROL.search(text):
            raise InvalidLinkError("contains a line end or control character")
        url = _url(text)
        if len(str(url)) > MAX_MAGNET_BYTES:
            raise InvalidLinkError("longer than 64 KiB")
        return cls(url)

    def follow(self, location: str) -> WebLink:
        """Return where a redirect from here leads; raises InvalidLinkError if it is no web link."""
        return WebLink.parse(urljoin(str(self.url), location.strip()))

    @property
    def key(self) -> str:
        """Return what it goes by as long as no info-hash is known: 64 hex digits of its own."""
        return sha256(str(self.url).encode()).hexdigest()

    @property
    def name(self) -> str:
        """Return what it is called where it is shown: the last part of its path, or its host."""
        *_, last = self.url.raw_path.rstrip("/").split("/")
        return names.shown(unquote(last)) or names.shown(self.url.host or "")

    def __str__(self) -> str:
        """Return the only part that may be shown."""
        return self.name

    def as_magnet(self) -> Magnet:
        """Return the form in which a link is kept in an outbox of links, never sent to a server.

        It is a magnet whose source (`xs`) is the link, with the key in place of a v2 hash.
        """
        name, source = (_quoted(text) for text in (self.name, str(self.url)))
        return Magnet.read_back(f"magnet:?xt=urn:btmh:1220{self.key}&dn={name}{_SOURCE}{source}")

    @classmethod
    def of_magnet(cls, kept: Magnet) -> WebLink:
        """Return the link that `as_magnet` has made a magnet of."""
        return cls.parse(unquote(kept.link.partition(_SOURCE)[2]))


def _url(text: str) -> URL:
    """Return the address; path and query stay as they are, as some servers take them literally."""
    try:
        parts = urlsplit(text)
        if (scheme := parts.scheme.lower()) not in _SCHEMES:
            raise InvalidLinkError("is neither http:// nor https://")
        # A host in other letters is encoded here, and what is beside these made lower case then.
        place = URL(str(URL(f"{scheme}://{parts.netloc}")))
        if not names.shown(place.host or "") or not place.port:
            raise InvalidLinkError("names no host")
        return URL.build(
            scheme=scheme,
            authority=place.raw_authority,
            path=_encoded(parts.path) or "/",
            query_string=_encoded(parts.query),
            encoded=True,
        )
    except ValueError:
        raise InvalidLinkError("is no web address") from None


def _encoded(text: str) -> str:
    """Percent-encode what is not printable ASCII, as browsers do; leave the rest as it is."""
    return _NOT_PLAIN.sub(lambda match: _quoted(match[0]), text)


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")
