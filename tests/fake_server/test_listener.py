"""The fake can be stopped at any moment of a connection, without an error in anybody's loop."""

import asyncio
import contextlib
from typing import Any

import pytest

from tests.support.fake.server import FakeQBittorrent


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("turns", range(6))
async def test_refuse_while_connections_come_in(turns: int) -> None:
    noticed: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: noticed.append(context))
    async with FakeQBittorrent() as fake:
        connecting = [
            asyncio.create_task(asyncio.open_connection("127.0.0.1", fake.port)) for _ in range(20)
        ]
        for _ in range(turns):
            await asyncio.sleep(0)
        await fake.refuse()
        results = await asyncio.gather(*connecting, return_exceptions=True)
        for result in results:
            if isinstance(result, tuple):
                with contextlib.suppress(ConnectionResetError):
                    assert await result[0].read() == b""
                result[1].close()
        assert not fake.is_listening
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", fake.port)
    await asyncio.sleep(0)
    assert noticed == []
