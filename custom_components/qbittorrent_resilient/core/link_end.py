"""Where a magnet link ends that begins somewhere in a line."""

from dataclasses import dataclass
import re

from .magnet_spelling import AMPERSAND, AROUND

_QUOTES = {
    '"': '"',
    "'": "'",
    "`": "`",
    "<": ">",
    "\u201c": "\u201d",
    "\u201e": "\u201c",
    "\u2018": "\u2019",
    "\u00ab": "\u00bb",
    "\u2039": "\u203a",
    "\u300c": "\u300d",
}
_APOSTROPHES = "'\u2019"
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_ENTITIES = {"&quot;": "&quot;", "&#34;": "&#34;", "&#39;": "&#39;", "&lt;": "&gt;", "&gt;": "&lt;"}
_LOOK_BACK = 200
_CDATA_START, _CDATA_END = "<![CDATA[", "]]>"

_KEY = r"(?P<key>dn|tr|xt|xl|ws|xs|as|kt|mt|so|x\.[a-z]{1,9})(?:\.\d{0,4})?="
_FIRST_KEY = re.compile(rf"[^=&?]{{0,60}}\?&?{_KEY}", re.IGNORECASE | re.ASCII)
_TOKEN = re.compile(
    rf"""(?P<json>"(?=[,\]}}]))|(?P<stop>[\s"]|'(?=[\s,:\])}}])|<(?=[/a-z!])|\\[nrt])|(?P<web>https?://)"""
    rf"|(?:{AMPERSAND}|\\{{1,2}}u0026){_KEY}",
    re.IGNORECASE | re.ASCII,
)
"""What may end a link, and what shows that it goes on."""
_PLAIN_VALUES = frozenset({"", "xt", "tr", "ws", "xs", "as", "x.pe", "xl", "so"})
"""Parameters in whose values no blank, no quote and no tag can be."""
_PLAIN_END = re.compile(r'[\s"<>]|\\[nrt"]')
_TOPIC_END = re.compile(r"[^\w:%+.~=-]", re.ASCII)
_APOSTROPHE_INSIDE = re.compile(rf"[^'<>\u2019]*?{AMPERSAND}{_KEY}", re.IGNORECASE | re.ASCII)
_QUOTE_INSIDE = re.compile(rf'[^"<>]*?{AMPERSAND}{_KEY}', re.IGNORECASE | re.ASCII)
_ATTRIBUTE_END = re.compile(r"[\s>]")
_BRACKET = re.compile(r"[()\[\]{}]")
_TAGS_BEHIND = re.compile(r"(?:<br ?/?>|</[a-z][a-z0-9]{0,20}>)\Z", re.IGNORECASE | re.ASCII)
_LONGEST_TAG = 24

_BETWEEN = AROUND + ",;|\"'`<([{\u201c\u201e\u00ab\u2018&"
"""What may stand between two links of one line."""
_PUNCTUATION = AROUND + ".,;:!?\u2026\"'`\u201d\u2019\u00bb*\\"


@dataclass(frozen=True, slots=True)
class _Last:
    """The last parameter of a link, where its value begins, and where a sentence may go on."""

    key: str
    value: int
    stop: int | None
    tag: int | None


def end_of_link(line: str, start: int, limit: int, *, in_prose: bool) -> int:
    """Return where the link ends that begins at `start`, at the latest at `limit`.

    `limit` is where the next link begins, or the line's end; `in_prose` says that words stand
    before the first link of the line.
    """
    followed = limit < len(line)
    before = line[max(0, start - _LOOK_BACK) : start]
    if (cdata := line.find(_CDATA_END, start, limit)) >= 0:
        if before.endswith(_CDATA_START):
            return cdata
        limit, followed = cdata, False
    if (closed := _counterpart(line, start, limit, before)) is not None:
        return closed
    bracket = before[-1:]
    if bracket in _BRACKETS and (closed := _closing_bracket(line, start, limit, bracket)):
        if before.endswith("]("):
            return _without_title(line, start, closed)
        limit, followed = closed, False
    last = _last_parameter(line, start, limit, in_prose=in_prose)
    if in_prose:
        end = limit if last.stop is None else last.stop
        return _trimmed(line, start, _topic_end(line, last, end))
    if last.key in _PLAIN_VALUES:
        found = _PLAIN_END.search(line, last.value, limit)
        end = _topic_end(line, last, found.start() if found else limit)
        return start + len(line[start:end].rstrip(_BETWEEN))
    if followed:
        return start + len(line[start : limit if last.tag is None else last.tag].rstrip(_BETWEEN))
    if line.lstrip(AROUND)[:1] in _BRACKETS:
        return _trimmed(line, start, limit)
    return _without_tags(line, start, limit)


def _counterpart(line: str, start: int, limit: int, before: str) -> int | None:
    """Return where the counterpart is of what stands before a link: a quote, tag, attribute."""
    for opener, closer in _ENTITIES.items():
        if before.endswith(opener):
            return _found(line.find(closer, start, limit))
    mark = before[-1:]
    if mark in _QUOTES:
        if mark == '"' and before.endswith('\\"'):  # JSON within JSON
            return _found(line.find('\\"', start, limit))
        return _closing_quote(line, start, limit, _QUOTES[mark])
    if mark == ">":
        return _found(line.find("<", start, limit))
    if mark == "]":
        return _found(line.find("[/", start, limit))
    if mark == "=":
        if before.rfind("<") > before.rfind(">"):
            found = _ATTRIBUTE_END.search(line, start, limit)
            return found.start() if found else None
        if before.rfind("[") > before.rfind("]"):
            return _closing_bracket(line, start, limit, "[")
    return None


def _found(index: int) -> int | None:
    return None if index < 0 else index


def _closing_quote(line: str, start: int, limit: int, quote: str) -> int | None:
    """Return where a quote ends: not at one that is escaped or that is part of a name."""
    end = line.find(quote, start, limit)
    while end >= 0:
        if line[end - 1] != "\\" and not _inside(line, end, limit, quote):
            return end
        end = line.find(quote, end + 1, limit)
    return None


def _inside(line: str, index: int, limit: int, quote: str) -> bool:
    """Return whether a mark that may close a quote is part of a name in the link.

    An apostrophe may be within a word, a quote open one; and behind either the link may go on.
    """
    before_letter = line[index + 1 : min(index + 2, limit)].isalnum()
    if quote in _APOSTROPHES:
        return before_letter or bool(_APOSTROPHE_INSIDE.match(line, index + 1, limit))
    if quote != '"':
        return False
    opens = before_letter and line[index - 1] in " =(["
    return opens or bool(_QUOTE_INSIDE.match(line, index + 1, limit))


def _closing_bracket(line: str, start: int, limit: int, opener: str) -> int | None:
    """Return where a bracket closes that stands before the link, past pairs within it."""
    depth, closer = 1, _BRACKETS[opener]
    for match in _BRACKET.finditer(line, start, limit):
        depth += (match[0] == opener) - (match[0] == closer)
        if depth == 0:
            return match.start()
    return None


def _without_title(line: str, start: int, end: int) -> int:
    """Return where a link of Markdown ends that may have a title in quotes behind it."""
    title = line.rfind(' "', start, end) if line[end - 1] == '"' else -1
    return end if title < 0 else start + len(line[start:title].rstrip(AROUND))


def _last_parameter(line: str, start: int, limit: int, *, in_prose: bool) -> _Last:
    """Return the last parameter of a link; what comes after another address is none.

    Nor is, in prose, what comes after the end of a text in JSON.
    """
    first = _FIRST_KEY.match(line, start, limit)
    key, value = (first["key"].lower(), first.end()) if first else ("", start)
    stop: int | None = None
    tag: int | None = None
    web: int | None = None
    address: int | None = None  # of which the text has not come to an end
    for token in _TOKEN.finditer(line, value, limit):
        if token["json"] and in_prose:
            stop = token.start() if stop is None else stop
            break
        if token["stop"] or token["json"]:
            address = None
            stop = token.start() if stop is None else stop
            tag = token.start() if tag is None and token["stop"] == "<" else tag
        elif token["web"]:
            web = address = token.start() if stop is not None else None
        elif web is not None and (key != "dn" or _has_query(line, address, token.start())):
            break
        else:
            key, value = token["key"].lower(), token.end()
            stop, tag, web, address = None, None, None, None
    return _Last(key, value, stop, tag)


def _has_query(line: str, address: int | None, end: int) -> bool:
    """Return whether what ends here is the query of an address."""
    return address is not None and "?" in line[address:end]


def _topic_end(line: str, last: _Last, end: int) -> int:
    """Return where a link ends at the latest if its last parameter is a topic."""
    if last.key != "xt":
        return end
    found = _TOPIC_END.search(line, last.value, end)
    topic = line[last.value : found.start() if found else end]
    return last.value + len(topic.rstrip(".:-+~="))


def _trimmed(line: str, start: int, end: int) -> int:
    """Return where a link ends without the punctuation and the closing brackets of a sentence."""
    surplus = {
        closer: line.count(closer, start, end) - line.count(opener, start, end)
        for opener, closer in {**_BRACKETS, "<": ">"}.items()
    }
    while end > start:
        char = line[end - 1]
        if surplus.get(char, 0) > 0:
            surplus[char] -= 1
        elif char not in _PUNCTUATION:
            break
        end -= 1
    return end


def _without_tags(line: str, start: int, end: int) -> int:
    """Return where a link ends without blanks and the closing tags of a page behind it."""
    end = start + len(line[start:end].rstrip(AROUND))
    while (tag := _TAGS_BEHIND.search(line, max(start, end - _LONGEST_TAG), end)) is not None:
        if line.find(f"<{tag[0][2:-1]}", start, end) >= 0:  # one that the name itself opens
            break
        end = tag.start()
    return end
