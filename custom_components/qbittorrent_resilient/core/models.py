"""The words and values that every part of the core shares."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
import time


class VpnState(StrEnum):
    """The verdict on the VPN; `unknown` counts as not up."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


class InstanceStatus(StrEnum):
    """What one instance is good for, in one word; only `ok` is used."""

    OK = "ok"
    VPN_DOWN = "vpn_down"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    AUTH_FAILED = "auth_failed"
    BANNED = "banned"
    HOST_REJECTED = "host_rejected"
    SSL_ERROR = "ssl_error"
    DISCONNECTED = "disconnected"
    NOT_SAVING = "not_saving"
    ERROR = "error"


LAST_SECOND = 253_402_300_799.0
"""The end of the year 9999, in epoch seconds: no calendar goes further."""
_CLOCK_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _now() -> float:
    return time.time()  # looked up each time, so that tests elsewhere can travel in time


def _steady() -> float:
    """Return seconds that nobody sets; on Linux those count in which the host was asleep."""
    asleep = time.clock_gettime(_CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic() + asleep


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time comes from: epoch seconds, steady seconds, and a sleep of some seconds."""

    now: Callable[[], float] = _now
    monotonic: Callable[[], float] = _steady
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True)
class AddOptions:
    """How a magnet is added; None means "as the instance's defaults say"."""

    category: str | None = None
    save_path: str | None = None
    tags: tuple[str, ...] | None = None
    stopped: bool | None = None

    def over(self, defaults: AddOptions) -> AddOptions:
        """Return these options, with `defaults` where they say nothing."""
        return AddOptions(
            category=defaults.category if self.category is None else self.category,
            save_path=defaults.save_path if self.save_path is None else self.save_path,
            tags=defaults.tags if self.tags is None else self.tags,
            stopped=defaults.stopped if self.stopped is None else self.stopped,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSettings:
    """One qBittorrent server as the user configured it; `key` stays the same when it is edited."""

    key: str
    name: str
    url: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    requires_vpn: bool = False
    priority: int = 1
    defaults: AddOptions = field(default_factory=AddOptions)

    @property
    def credentials(self) -> tuple[str, str, str, str]:
        """Return what a refusal belongs to: it ends when any part of this changes."""
        return (self.url, self.username, self.password, self.api_key)
