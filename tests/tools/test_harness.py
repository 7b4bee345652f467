"""What the live tests, the demo and the benchmarks start comes up as wished, or says why not."""

from pathlib import Path
import socket

import pytest

from tests.support.harness.home_assistant import HomeAssistant, default_program
from tests.support.harness.process import StartError, UnavailableError, free_port


def test_no_connection_gets_a_free_port(socket_enabled: None) -> None:
    """A port that the kernel gave out was taken by a connection before the server was up."""
    first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()
    ports = [free_port() for _ in range(200)]
    assert not any(int(first) <= port <= int(last) for port in ports)
    assert len(set(ports)) > 150
    with socket.socket() as server:
        server.bind(("127.0.0.1", ports[0]))


async def test_recovery_mode_is_no_start(tmp_path: Path, socket_enabled: None) -> None:
    """Home Assistant runs without what it was asked for once its port was taken at first."""
    try:
        default_program()
    except UnavailableError as err:
        pytest.skip(str(err))
    home = HomeAssistant(tmp_path)
    (tmp_path / "configuration.yaml").write_text("frontend: [unclosed", encoding="utf-8")
    with pytest.raises(StartError, match="could not be set up"):
        await home.start()
    await home.kill()
