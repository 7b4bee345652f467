"""What is asked of a server, and what its answers amount to."""

from collections.abc import Callable
import threading
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.qbittorrent_resilient.core.magnet import Magnet
from custom_components.qbittorrent_resilient.core.qbittorrent import (
    AddAnswer,
    client as module,
    dialect,
    log,
)
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions
from tests.support.common import info_hash, link
from tests.support.core import Http, Time, TimedServer, failure, magnets
from tests.support.fake import FakeQBittorrent
from tests.support.fake.answer import JSON


def v2(number: int) -> str:
    return f"b{number:039x}{'c' * 24}"


def v2_magnet(number: int) -> Magnet:
    return Magnet.parse(f"magnet:?{xt_v2(v2(number))}")


async def test_vitals(server: TimedServer, http: Http) -> None:
    """Two small requests a check, and each failed save is told once."""
    client = http.client(server)
    await client.open()
    server.record.clear()
    began = (3 + len(server.dialect.first_messages), float(server.launch_time))
    for number, status in enumerate(("connected", "firewalled", "disconnected")):
        server.connection_status = status
        assert await client.vitals() == module.Vitals(
            status, (), from_the_beginning=number == 0, log_began=began
        )
    assert [one.endpoint for one in server.requests] == ["transfer/info", "log/main"] * 3
    server.log("Couldn't load category", 8)
    server.say_not_saving()
    server.say_not_saving()
    assert len((await client.vitals()).save_failures) == 2
    assert await client.vitals() == module.Vitals(
        status, (), from_the_beginning=False, log_began=began
    )
    assert len(server.logins) == 0


async def test_log_after_a_restart(server: TimedServer, http: Http) -> None:
    """A new process counts from 0: its first message is not taken for an old one."""
    client = http.client(server)
    for _ in range(50):
        server.say_not_saving()
    assert len((await client.vitals()).save_failures) == 50
    await server.restart()
    server.say_not_saving()
    assert (await client.vitals()).save_failures == (float(int(server.now())),)


async def test_log_after_a_restart_that_nothing_tells_of(newest: TimedServer, http: Http) -> None:
    """With an API key there is no session to lose; the new log is read in the same check."""
    newest.settings.api_key = newest.new_api_key()
    client = http.client(newest, api_key=newest.settings.api_key)
    for _ in range(50):
        newest.say_not_saving()
    assert len((await client.vitals()).save_failures) == 50
    assert (await client.vitals()).save_failures == ()
    await newest.restart()
    newest.say_not_saving()
    told = [await client.vitals() for _ in range(2)]
    assert [len(one.save_failures) for one in told] == [1, 0]
    assert [one.from_the_beginning for one in told] == [True, False]
    assert client.renewals == 0


async def test_long_log_is_read_in_a_thread(newest: TimedServer, http: Http) -> None:
    """Ten thousand failed saves, as after a night with a full disk, are read and none is lost."""
    threads = []
    read = log.read_log

    def note(answer: dialect.Answer, before: log.LogPart) -> log.LogPart:
        threads.append(threading.current_thread())
        return read(answer, before)

    client = http.client(newest)
    with patch.object(log, "read_log", note):
        newest.say_not_saving()
        assert len((await client.vitals()).save_failures) == 1
        for _ in range(10_000):
            newest.say_not_saving()
        assert len((await client.vitals()).save_failures) == 10_000
    assert threads[0] is threading.main_thread() is not threads[1]


async def test_launch_time(server: TimedServer, http: Http, time: Time) -> None:
    """The versions that do not tell it are asked once, the others once a session."""
    client = http.client(server)
    told = server.dialect.tells_launch_time
    for _ in range(3):
        assert await client.launch_time() == (server.launch_time if told else None)
    assert len(server.requests_to("app/processInfo")) == 1
    time.seconds += 500
    await server.restart()
    await client.vitals()  # any request notices that the session is gone
    assert await client.launch_time() == (time.seconds if told else None)


@pytest.mark.parametrize("bypass", [False, True])
async def test_launch_time_where_no_session_ends(
    newest: TimedServer, http: Http, bypass: bool
) -> None:
    """Only the answer tells of a restart: with an API key, or where we are let in as we are."""
    newest.settings.local_host_auth = not bypass
    client = http.client(newest, **({} if bypass else {"api_key": newest.new_api_key()}))
    for _ in range(2):
        assert await client.launch_time() == newest.launch_time
    await newest.restart()
    assert await client.launch_time() == newest.launch_time
    assert len(newest.requests_to("app/processInfo")) == 3


async def test_launch_time_behind_a_faulty_proxy(newest: TimedServer, http: Http) -> None:
    client = http.client(newest)
    newest.faults.answer(502, "<p>", "text/html", endpoint="app/processInfo", times=1)
    assert await client.launch_time() is None
    assert await client.launch_time() == newest.launch_time


async def test_add(server: TimedServer, http: Http) -> None:
    """The answers differ between the versions, what they mean does not."""
    client = http.client(server)
    one, two, three = (link(number) for number in (1, 2, 3))
    assert await client.add([one, two], AddOptions()) is AddAnswer.TAKEN
    assert await client.add([one, two], AddOptions()) is AddAnswer.NONE_NEW
    assert await client.add([two, three], AddOptions()) is AddAnswer.TAKEN
    assert await client.add(["https://host/file.torrent"], AddOptions()) is AddAnswer.TAKEN
    assert server.requests[-1].status == (202 if server.dialect.counts_adds else 200)
    assert server.hashes == {info_hash(number) for number in (1, 2, 3)}
    assert server.adds[0] == [one, two]


@pytest.mark.parametrize("stopped", [True, False, None])
async def test_add_options(server: TimedServer, http: Http, stopped: bool | None) -> None:
    """They arrive in every version, also where automatic management is on."""
    server.torrents.auto_tmm = server.torrents.adds_stopped = True
    options = AddOptions(category="films", save_path="/data", tags=("a", "b c"), stopped=stopped)
    await http.client(server).add([link(1, extra="&tr=http://t/%26")], options)
    [torrent] = server.torrents
    assert (torrent.category, torrent.tags) == ("films", ("a", "b c"))
    assert (torrent.save_path, torrent.auto_tmm) == ("/data", False)
    assert torrent.stopped is (stopped is not False)
    assert torrent.magnet.trackers == ("http://t/&",)


async def test_find(server: TimedServer, http: Http) -> None:
    client = http.client(server)
    given = [*magnets(*range(1, 251)), v2_magnet(1), Magnet.parse(f"{link(999)}&{xt_v2(v2(9))}")]
    server.add(*(magnet.link for magnet in given))
    others = [*magnets(251, 1000), v2_magnet(2)]
    assert await client.find([*others, *given]) == {magnet.info_hash for magnet in given}
    assert await client.find(others) == set()


def xt_v2(digits: str) -> str:
    return f"xt=urn:btmh:1220{digits}"


async def test_find_nothing(server: TimedServer, http: Http) -> None:
    """An empty list of hashes would list everything."""
    server.add(link(1))
    assert await http.client(server).find([]) == set()
    assert server.requests == []


async def test_list_of_others(newest: TimedServer, http: Http) -> None:
    """It does not say that the one that was asked for is not there."""
    client = http.client(newest)
    await client.open()
    newest.faults.answer(200, f'[{{"hash":"{info_hash(2)}"}}]', JSON, "torrents/info")
    status, _ = await failure(client.find(magnets(1)))
    assert status == "error"


@pytest.mark.parametrize("added", ["v1", "v2"])
async def test_find_what_became_hybrid(server: TimedServer, http: Http, added: str) -> None:
    """When the metadata has come, the torrent goes by another id."""
    client = http.client(server)
    v1_link, v2_link = link(1), v2_magnet(7).link
    server.add(*(link(number) for number in range(1, 6)) if added == "v1" else [v2_link])
    server.become_hybrid(info_hash(1), v2(7))
    assert info_hash(1) not in server.hashes
    given = [Magnet.parse(v1_link), v2_magnet(7), Magnet.parse(f"{v1_link}&{xt_v2(v2(7))}")]
    for magnet in given:
        assert await client.find([magnet]) == {magnet.info_hash}
    assert await client.find([given[0]], hybrids=False) == set()
    assert await client.find([*given[:1], *magnets(8)]) == {info_hash(1)}


@pytest.mark.parametrize("number", [0, 2, 3, 4, 6, 7])
@pytest.mark.parametrize("others", [0, 3])
async def test_look_through_the_hybrids(
    server: TimedServer, http: Http, number: int, others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All pages, and no more; up to 5.1 the page after the last is the first again."""
    monkeypatch.setattr(module, "HYBRID_PAGE", 3)
    for one in range(1, number + others + 1):
        server.add(link(one))
        if one <= number:
            server.become_hybrid(info_hash(one), v2(one))
    client = http.client(server)
    wanted = magnets(*range(1, number + 1), 1000)
    assert await client.find(wanted) == {info_hash(one) for one in range(1, number + 1)}
    assert len(server.requests_to("torrents/info")) <= 1 + number // 3 + 1


type Inject = Callable[[FakeQBittorrent, str], object]


@pytest.mark.parametrize(
    ("inject", "done"),
    [
        pytest.param(lambda server, at: server.faults.login_page(at), True, id="proxy-page"),
        pytest.param(lambda server, at: server.faults.answer(200, endpoint=at), True, id="empty"),
        pytest.param(
            lambda server, at: server.faults.answer(200, '{"a":[]}', "application/json", at),
            True,
            id="json",
        ),
        pytest.param(
            lambda server, at: server.faults.answer(200, "[1]", "application/json", at),
            True,
            id="json-list",
        ),
        pytest.param(
            lambda server, at: server.faults.redirect("http://127.0.0.1:9/", at), True, id="302"
        ),
        pytest.param(
            lambda server, at: server.faults.answer(500, "oops", endpoint=at), True, id="500"
        ),
        pytest.param(
            lambda server, at: server.faults.answer(502, "<p>", "text/html", at), True, id="502"
        ),
        pytest.param(
            lambda server, at: server.faults.answer(404, "Not Found", endpoint=at), False, id="404"
        ),
        pytest.param(lambda server, at: server.faults.huge(at), True, id="10-MB"),
    ],
)
@pytest.mark.parametrize("endpoint", ["transfer/info", "log/main", "torrents/add", "torrents/info"])
async def test_odd_answer(
    newest: TimedServer,
    http: Http,
    inject: Inject,
    endpoint: str,
    done: bool,
) -> None:
    """It is an `error`; after an add it leaves open what was done. The session stays."""
    client = http.client(newest)
    calls: dict[str, Callable[[], Any]] = {
        "torrents/add": lambda: client.add([link(1)], AddOptions()),
        "torrents/info": lambda: client.find(magnets(1)),
    }
    call = calls.get(endpoint, client.vitals)
    inject(newest, endpoint)
    status, maybe_done = await failure(call())
    assert status == "error"
    assert endpoint != "torrents/add" or maybe_done is done
    newest.faults.clear()
    await call()
    assert len(newest.logins) == 1


async def test_cut_after_the_add(server: TimedServer, http: Http) -> None:
    """The add is not sent again by itself."""
    client = http.client(server)
    await client.open()
    server.faults.cut("torrents/add", after=True)
    assert await failure(client.add([link(1)], AddOptions())) == ("unreachable", True)
    assert len(server.adds) == 1
    assert await client.find(magnets(1, 2)) == {info_hash(1)}


async def test_what_is_known(server: TimedServer, http: Http) -> None:
    client = http.client(server)
    assert (client.version, client.refused, client.renewals) == (None, False, 0)
    await client.open()
    assert client.version == server.dialect.name
    server.settings.password = "changed"
    server.expire_sessions()
    assert await failure(client.vitals()) == ("auth_failed", False)
    assert (client.refused, client.renewals) == (True, 1)
