"""Long lists are worked on in turns, so that nothing else has to wait for their end."""

import asyncio
from collections.abc import AsyncGenerator, Iterable

YIELD_EVERY = 1000
"""Jobs worked on, in some 5 ms, before the event loop may run."""


async def cooperatively[T](items: Iterable[T]) -> AsyncGenerator[T]:
    """Yield all items, and let the event loop run after every YIELD_EVERY of them."""
    for number, item in enumerate(items):
        if number and number % YIELD_EVERY == 0:
            await asyncio.sleep(0)
        yield item
