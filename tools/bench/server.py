"""A fake qBittorrent as a program: `python -m tools.bench.server PORT [SECONDS AN ADD]`."""

import asyncio
import sys

from tests.support.fake import V5_3, FakeQBittorrent


async def main(port: int, seconds: float) -> None:
    """Serve until killed."""
    async with FakeQBittorrent(V5_3, port=port) as server:
        if seconds:
            server.faults.delay(seconds, "torrents/add")
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
