"""A host that web links lead to."""

from collections.abc import AsyncGenerator

import pytest

from tests.support.web_host import WebHost, web_host


@pytest.fixture
async def host(socket_enabled: None) -> AsyncGenerator[WebHost]:
    """Return a host of the web, without any page."""
    async with web_host() as host:
        yield host
