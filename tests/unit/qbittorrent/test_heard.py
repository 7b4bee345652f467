"""Magnets go only to a server that has just answered in its session: it may have moved since."""

import pytest

from custom_components.qbittorrent_resilient.core.qbittorrent.answer import Answer
from custom_components.qbittorrent_resilient.core.qbittorrent.client import ADD_SECONDS
from custom_components.qbittorrent_resilient.core.qbittorrent.connection import HEARD_SECONDS
from custom_components.qbittorrent_resilient.core.qbittorrent.exchange import Exchange, Request
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from custom_components.qbittorrent_resilient.core.qbittorrent.session import Session
from tests.support.common import info_hash, link
from tests.support.core import Http, Time, TimedServer, failure
from tests.support.fake.dialect import V5_1, V5_3

LINKS = [link(1)]


def _another_takes_its_place(server: TimedServer) -> None:
    server.expire_sessions()
    server.settings.password = "of another server"
    if server.settings.api_key:
        server.new_api_key()


@pytest.mark.parametrize("by_key", [False, True])
async def test_another_server_is_not_shown_them(
    server: TimedServer, http: Http, time: Time, by_key: bool
) -> None:
    if by_key and not server.dialect.api_key:
        pytest.skip("no API keys")
    client = http.client(server, api_key=server.new_api_key() if by_key else "")
    await client.vitals()
    _another_takes_its_place(server)
    time.seconds += HEARD_SECONDS + 1
    assert await failure(client.add(LINKS, AddOptions())) == ("auth_failed", False)
    assert not server.requests_to("torrents/add")


@pytest.mark.parametrize(("silence", "more"), [(HEARD_SECONDS - 1, 0), (HEARD_SECONDS + 1, 1)])
async def test_one_small_question_where_it_has_been_silent(
    server: TimedServer, http: Http, time: Time, silence: float, more: int
) -> None:
    client = http.client(server)
    await client.vitals()
    server.record.clear()
    time.seconds += silence
    await client.add(LINKS, AddOptions())
    assert [one.endpoint for one in server.requests] == ["app/version"] * more + ["torrents/add"]
    assert server.hashes == {info_hash(1)}


async def test_restarted_meanwhile(server: TimedServer, http: Http, time: Time) -> None:
    client = http.client(server)
    await client.vitals()
    await server.restart()
    time.seconds += HEARD_SECONDS + 1
    await client.add(LINKS, AddOptions())
    assert (client.renewals, server.hashes) == (1, {info_hash(1)})


async def test_does_not_answer_as_it_should(newest: TimedServer, http: Http, time: Time) -> None:
    """Nothing was sent, so another server may get it at once."""
    client = http.client(newest)
    await client.vitals()
    time.seconds += HEARD_SECONDS + 1
    newest.faults.answer(502, "<p>", "text/html", endpoint="app/version", times=1)
    assert await failure(client.add(LINKS, AddOptions())) == ("error", False)
    newest.faults.cut("app/version")
    assert await failure(client.add(LINKS, AddOptions())) == ("unreachable", False)
    assert not newest.requests_to("torrents/add")


@pytest.mark.parametrize("same_release", [True, False])
async def test_another_server_without_a_login_is_not_shown_them(
    server: TimedServer, http: Http, time: Time, same_release: bool
) -> None:
    """It refuses nobody: another session, or another version, tells that it is there."""
    another = V5_3 if server.dialect is V5_1 else V5_1
    dialect = server.dialect if same_release else another
    client = http.client(server, password="")
    async with TimedServer(dialect, time) as other:
        for one in (server, other):
            one.settings.local_host_auth = one.settings.host_header_validation = False
        await client.vitals()
        server._wire._execute = other._wire._execute  # type: ignore[method-assign]
        time.seconds += HEARD_SECONDS + 1
        assert await failure(client.add(LINKS, AddOptions())) == ("error", False)
        assert not other.hashes
        assert client.renewals == 1
        await client.vitals()
        await client.add(LINKS, AddOptions())
        assert other.hashes == {info_hash(1)}


@pytest.mark.parametrize(("taken", "left"), [(10.0, 20.0), (ADD_SECONDS, None), (3600.0, None)])
async def test_question_and_magnets_share_one_time_limit(
    newest: TimedServer,
    http: Http,
    time: Time,
    monkeypatch: pytest.MonkeyPatch,
    taken: float,
    left: float | None,
) -> None:
    """Also where the host slept meanwhile: no time left is not taken for no limit."""
    client = http.client(newest)
    await client.vitals()
    limits: list[float | None] = []
    exchange = Exchange.__call__

    async def watched(self: Exchange, session: Session, request: Request) -> Answer:
        limits.append(request.seconds)
        answer = await exchange(self, session, request)
        time.seconds += taken
        return answer

    monkeypatch.setattr(Exchange, "__call__", watched)
    time.seconds += HEARD_SECONDS + 1
    if left is None:
        assert await failure(client.add(LINKS, AddOptions())) == ("timeout", False)
    else:
        await client.add(LINKS, AddOptions())
    assert limits == [None, *([] if left is None else [left])]
