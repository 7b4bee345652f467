"""A server that takes 25 s an answer to an add, in real time, with the real limits.

`python -m tools.bench.slow [SECONDS] [NUMBER]` prints how long the call took, what it answered and
how many adds each magnet took; nothing is asserted.
"""

import asyncio
from collections import Counter
import logging
from pathlib import Path
import sys
from tempfile import TemporaryDirectory
import time

from tests.support.common import link
from tools.bench.stage import Server, call, home_assistant


async def main(seconds: float, number: int) -> None:
    """Add some magnets, with a second server in line that must not get any."""
    slow, other = Server(seconds), Server()
    await slow.start()
    await other.start()
    try:
        with TemporaryDirectory() as folder:
            async with home_assistant(Path(folder), slow.url, other.url) as hass:
                begun = time.monotonic()
                response = await call(
                    hass, "add_magnets", magnets=[link(one) for one in range(1, number + 1)]
                )
                took = time.monotonic() - begun
                told = Counter((one["instance"], one["status"]) for one in response["added"])
                print(f"{number} magnets, {seconds:g} s an add: {took:.1f} s")
                print(f"added: {dict(told)}")
                print(f"queued: {len(response['queued'])}, failed: {len(response['failed'])}")
                again = await call(
                    hass, "add_magnets", magnets=[link(one) for one in range(1, number + 1)]
                )
                told = Counter((one["instance"], one["status"]) for one in again["added"])
                print(f"given again: {dict(told)}")
    finally:
        await slow.stop()
        await other.stop()


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asyncio.run(
        main(
            float(sys.argv[1]) if len(sys.argv) > 1 else 25.0,
            int(sys.argv[2]) if len(sys.argv) > 2 else 60,
        )
    )
