"""What it ran on, and what a process takes of it."""

from datetime import UTC, datetime
from importlib.metadata import version
import os
from pathlib import Path
import platform
import re

from tests.support.harness.home_assistant import HomeAssistant

_TICKS = os.sysconf("SC_CLK_TCK")


def about(daemon: str) -> dict[str, str]:
    """Return the date, the machine and the software, in words."""
    memory = int(_field(Path("/proc/meminfo"), "MemTotal").split()[0]) / 1024**2
    cores = len(os.sched_getaffinity(0))
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{cores} cores of {_field(Path('/proc/cpuinfo'), 'model name')}, "
        f"{memory:.0f} GiB, Linux {platform.release()}",
        "software": f"Home Assistant {version('homeassistant')}, "
        f"Python {platform.python_version()}, "
        f"qbittorrent-api {version('qbittorrent-api')}, {daemon}",
    }


def _field(file: Path, name: str) -> str:
    for line in file.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "?"


def cpu_seconds(home: HomeAssistant) -> float:
    """Return the CPU seconds that Home Assistant has used so far."""
    text = Path(f"/proc/{home.process.pid}/stat").read_text(encoding="ascii")
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(home: HomeAssistant) -> float:
    """Return how much memory Home Assistant takes, in MB; what it shares is shared out."""
    text = Path(f"/proc/{home.process.pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1.024e-3 if found else 0.0


def begin_peak(home: HomeAssistant) -> float:
    """Forget how much memory Home Assistant took at most; return what it takes now, in MB."""
    Path(f"/proc/{home.process.pid}/clear_refs").write_text("5", encoding="ascii")
    return _resident(home, "VmRSS")


def peak(home: HomeAssistant) -> float:
    """Return how much memory Home Assistant took at most since, in MB."""
    return _resident(home, "VmHWM")


def _resident(home: HomeAssistant, name: str) -> float:
    size = _field(Path(f"/proc/{home.process.pid}/status"), name)
    return int(size.split()[0]) * 1.024e-3


def wake_ups(home: HomeAssistant) -> int:
    """Return how often a thread of Home Assistant has slept, and so was woken, so far."""
    tasks = Path(f"/proc/{home.process.pid}/task").glob("*/status")
    return sum(int(_field(file, "voluntary_ctxt_switches")) for file in tasks)
