"""A program that says what the core's clock and the kernel's two steady ones show.

It does so in a time namespace whose clocks are set as after a suspension of the host, in which
CLOCK_MONOTONIC stands still.
"""

import os
from pathlib import Path
import time

from custom_components.qbittorrent_resilient.core.clock import Clock

ASLEEP_SECONDS = 8 * 3600


def main() -> None:
    """Enter the namespace in a child, which is the first to live in it."""
    os.unshare(os.CLONE_NEWTIME)
    Path("/proc/self/timens_offsets").write_text(f"boottime {ASLEEP_SECONDS} 0", encoding="ascii")
    if child := os.fork():
        os.waitpid(child, 0)
        return
    print(Clock().monotonic(), time.monotonic(), time.clock_gettime(time.CLOCK_BOOTTIME))


if __name__ == "__main__":
    main()
