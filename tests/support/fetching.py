"""Fetches a web link as the integration does, and says in a word what came of it."""

import asyncio
from collections.abc import Callable
import ssl
from typing import Any

from custom_components.qbittorrent_resilient.core.fetching.fetcher import (
    Fetched,
    Fetcher,
    NotEver,
    NotNow,
)
from custom_components.qbittorrent_resilient.core.fetching.web_link import WebLink
from custom_components.qbittorrent_resilient.core.outbox.job import Reason
from tests.support.web_host import Names


async def in_thread[*Args, T](job: Callable[[*Args], T], /, *args: *Args) -> T:
    return await asyncio.to_thread(job, *args)


def fetcher(names: Names | None = None, proxy: str | None = None) -> Fetcher:
    context = ssl.create_default_context()
    return Fetcher(names or Names(), context, in_thread, user_agent="test", proxy=proxy)


async def fetch(url: str, names: Names | None = None, proxy: str | None = None) -> Any:
    return await fetcher(names, proxy).fetch(WebLink.parse(url))


async def reason(url: str, names: Names | None = None) -> Reason | str:
    """Return why a link is not fetched."""
    match await fetch(url, names):
        case NotEver(reason, _):
            return reason
        case NotNow(_):
            return "passing"
        case Fetched(_):
            return "fetched"
    raise AssertionError("no verdict")
