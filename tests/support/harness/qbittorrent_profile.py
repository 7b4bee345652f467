"""The profile of a sealed qBittorrent: everything it says stays on loopback."""

import base64
from collections.abc import Mapping
import hashlib
import os
from pathlib import Path

type Settings = dict[tuple[str, str], str]

# Nothing calls out: no DHT, no local discovery, no port mapping, no GeoIP database, no
# mail, no RSS; BitTorrent speaks on loopback; a proxy at a dead port swallows the rest.
SEALED: Mapping[str, Mapping[str, str]] = {
    "LegalNotice": {"Accepted": "true"},
    "Preferences": {
        r"General\Locale": "en",
        r"Connection\ResolvePeerCountries": "false",
        r"Connection\ResolvePeerHostNames": "false",
        r"DynDNS\Enabled": "false",
        r"MailNotification\enabled": "false",
        r"Search\SearchEnabled": "false",
        r"WebUI\UseUPnP": "false",
    },
    "Network": {
        "PortForwardingEnabled": "false",
        r"Proxy\Type": "SOCKS5",
        r"Proxy\IP": "127.0.0.1",
        r"Proxy\Port": "9",
        r"Proxy\HostnameLookupEnabled": "true",
        r"Proxy\OnlyForTorrents": "false",
        r"Proxy\Profiles\BitTorrent": "true",
        r"Proxy\Profiles\Misc": "true",
        r"Proxy\Profiles\RSS": "true",
    },
    "RSS": {
        r"Session\EnableProcessing": "false",
        r"AutoDownloader\EnableProcessing": "false",
    },
    "AutoRun": {"enabled": "false", r"OnTorrentAdded\Enabled": "false"},
    "BitTorrent": {
        r"Session\DHTEnabled": "false",
        r"Session\LSDEnabled": "false",
        r"Session\PeXEnabled": "false",
        r"Session\AddTrackersEnabled": "false",
        r"Session\AddTrackersFromURLEnabled": "false",
        r"Session\I2P\Enabled": "false",
        r"Session\Interface": "lo",
        r"Session\InterfaceName": "lo",
        r"Session\InterfaceAddress": "127.0.0.1",
        r"Session\ProxyHostnameLookup": "true",
        r"Session\ProxyPeerConnections": "true",
    },
}


def quoted(value: str) -> str:
    """Return a text as Qt's settings write it: quoted, all outside ASCII escaped."""
    out = []
    for char in value:
        if char in '"\\':
            out.append("\\" + char)
        elif " " <= char <= "~":
            out.append(char)
        else:
            units = char.encode("utf-16-be")
            out += [f"\\x{int.from_bytes(units[i : i + 2]):x}" for i in range(0, len(units), 2)]
    return '"' + "".join(out) + '"'


def password_hash(password: str) -> str:
    """Return the form in which qBittorrent keeps the password of its web interface."""
    salt = os.urandom(16)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 100_000, 64)
    return f'"@ByteArray({base64.b64encode(salt).decode()}:{base64.b64encode(key).decode()})"'


def sealed_settings() -> Settings:
    """Return the settings that keep it on loopback."""
    return {
        (group, name): value for group, names in SEALED.items() for name, value in names.items()
    }


def parse_extra(extra: Mapping[str, str]) -> Settings:
    r"""Turn {"Preferences/WebUI/Key": value} into settings; later slashes become \."""
    settings: Settings = {}
    for path, value in extra.items():
        group, _, name = path.partition("/")
        settings[group, name.replace("/", "\\")] = value
    return settings


def _read(path: Path) -> Settings:
    """Return what the server itself has written so far."""
    settings: Settings = {}
    group = ""
    if path.exists():
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        for line in text.splitlines():
            if line.startswith("[") and line.rstrip().endswith("]"):
                group = line.strip()[1:-1]
            elif "=" in line:
                name, _, value = line.partition("=")
                settings[group, name] = value
    return settings


def write_profile(profile: Path, settings: Settings) -> None:
    """Create or update the configuration in a profile, keeping every other setting."""
    path = profile / "qBittorrent" / "config" / "qBittorrent.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    (profile / "downloads").mkdir(exist_ok=True)
    settings = dict(settings)
    for (group, name), value in list(settings.items()):
        if group == "Preferences" and name.startswith("WebUI\\"):
            settings["WebUI", name.removeprefix("WebUI\\")] = value  # where 5.3 looks
    merged = _read(path) | settings
    groups: dict[str, list[str]] = {}
    for (group, name), value in merged.items():
        groups.setdefault(group, []).append(f"{name}={value}\n")
    text = "".join(f"[{group}]\n{''.join(groups[group])}\n" for group in sorted(groups))
    path.touch(0o600)
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
