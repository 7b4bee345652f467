"""Many rounds leave nothing behind."""

import asyncio
import gc
from pathlib import Path
import threading

import pytest

from custom_components.qbittorrent_resilient.core.health import ping as module
from custom_components.qbittorrent_resilient.core.health.status import VpnState
from custom_components.qbittorrent_resilient.core.health.vpn import VpnMonitor
from tests.live.vpn_stage import allowed_ping
from tests.support.common import eventually

ROUNDS = 1_000
POOL = 64
"""Threads for look-ups that the loop keeps at most; a leak would be one a round."""
SILENT = "127.255.255.255"
"""The broadcast address of loopback: nobody answers."""


def descriptors() -> int:
    """Return how many files and sockets this process has open."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("target", ["127.0.0.1", "localhost", SILENT])
async def test_no_sockets_threads_or_tasks_left(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether echoes are answered, sent to a name, or in vain."""
    monkeypatch.setattr(module, "ECHO_GAP_SECONDS", 0)
    monkeypatch.setattr(module, "ECHO_SECONDS", 1.2 if target != SILENT else 0.001)
    asyncio.get_running_loop().set_debug(False)
    monitor = VpnMonitor([target], await allowed_ping())
    await monitor.round()
    sockets, tasks, threads = descriptors(), len(asyncio.all_tasks()), threading.active_count()
    for _ in range(ROUNDS):
        await monitor.round()
    assert monitor.state is (VpnState.OFF if target == SILENT else VpnState.ON)
    assert descriptors() == sockets
    assert len(asyncio.all_tasks()) == tasks
    assert threading.active_count() < threads + POOL


async def test_rounds_given_up_leave_nothing() -> None:
    """Closed in the middle, as at a reload."""
    ping = await allowed_ping()
    await ping("127.0.0.1")
    before = descriptors()
    for _ in range(100):
        monitor = VpnMonitor([SILENT], ping)
        waiting = asyncio.create_task(monitor.round())
        await asyncio.sleep(0.001)
        monitor.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await eventually(lambda: len(asyncio.all_tasks()) == 1)
    assert descriptors() == before
