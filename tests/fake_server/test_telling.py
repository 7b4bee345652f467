"""The fake tells about itself what each version tells."""

import json

import pytest

from tests.support.fake import DIALECTS, Dialect

from .conftest import H1, Client, link


async def test_status_and_endpoints(client: Client, dialect: Dialect) -> None:
    """What the versions tell about themselves, and what they do not have."""
    client.server.connection_status = "disconnected"
    assert (await client.get("transfer/info")).json["connection_status"] == "disconnected"
    assert (await client.get("app/webapiVersion")).text == dialect.webapi
    assert (await client.get("torrents/count")).status == (404 if dialect.name < "5" else 200)
    launched = await client.get("app/processInfo")
    if dialect.name >= "5.2":
        assert launched.json == {"launch_time": client.server.launch_time}
    else:
        assert (launched.status, launched.text) == (404, "Not Found")
    assert (await client.get("torrents/add")).status == 405
    assert (await client.send("PUT", "app/version")).status == (400 if dialect.name < "5" else 501)
    assert (await client.send("HEAD", "app/version")).status == (405 if dialect.name < "5" else 200)
    shown = await client.send("POST", "torrents/add", data=json.dumps({"urls": link(H1)}))
    assert (shown.status, shown.text) == (400, "")
    nope = await client.get("torrents/nope")
    assert nope.text == ("Endpoint does not exist" if dialect.name >= "5.2" else "Not Found")


async def test_log(client: Client, dialect: Dialect) -> None:
    """The start mark, the filters, and the complaint that nothing is saved."""
    only_info = "log/main?normal=false&info=true&warning=false&critical=false&last_known_id=-1"
    first = (await client.get(only_info)).json[0]
    assert first["id"] == (5 if dialect.name >= "5.2" else 3)
    assert first["timestamp"] == client.server.launch_time
    problems = "log/main?normal=false&info=false&last_known_id={}"
    last = max((row["id"] for row in (await client.get(problems.format(-1))).json), default=-1)
    number = client.server.say_not_saving()
    (row,) = (await client.get(problems.format(last))).json
    assert (row["id"], row["type"]) == (number, 8)
    assert row["message"].startswith("Couldn't save torrent resume data to ")
    assert (await client.get(problems.format(number))).json == []
    for _ in range(20_000):
        client.server.log("noise", 1)
    assert (await client.get(only_info)).json == []


async def test_maindata(client: Client) -> None:
    """Whole at first, then what changed; whole again after a restart."""
    assert (await client.get("sync/maindata")).json["full_update"]
    client.server.add(link(H1))
    part = (await client.get("sync/maindata?rid=1")).json
    assert "full_update" not in part
    assert list(part["torrents"]) == [H1]
    client.server.torrents.delete([H1])
    assert (await client.get("sync/maindata?rid=2")).json["torrents_removed"] == [H1]
    await client.server.restart()
    await client.login()
    assert (await client.get("sync/maindata?rid=3")).json["full_update"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [({"urls": link(H1)}, 200), ({"urls": "http://127.0.0.1:9/x"}, 202), ({"urls": "x"}, 409)],
)
async def test_reason_phrases(
    client: Client, dialect: Dialect, sent: dict[str, str], status: int
) -> None:
    """5.2 says OK to whatever went well, 5.3 says nothing; what failed has the right words."""
    answer = await client.send("POST", "torrents/add", sent)
    if dialect.name < "5.2":
        assert (answer.status, answer.reason) == (200, "OK")
        return
    good = "OK" if dialect.name < "5.3" else ""
    assert (answer.status, answer.reason) == (status, good if status < 400 else "Conflict")


async def test_external_address(client: Client, dialect: Dialect) -> None:
    """It is told from 5.1 on."""
    told = (await client.get("transfer/info")).json
    assert ("last_external_address_v4" in told) is (dialect.name >= "5.1")


def test_table() -> None:
    """There is one entry for each release, two where libtorrent makes a difference."""
    assert [entry.label for entry in DIALECTS] == [
        *("v4.5.2", "v4.6.7", "v5.0.5", "v5.1.0", "v5.2.3"),
        *("v5.3.0alpha1", "v5.3.0-2.0.11", "v5.3.0"),
    ]
