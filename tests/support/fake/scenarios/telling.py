"""What the server tells: about itself, its torrents, its log."""

import json

from ..probe import Probe, column, ids, keys, nothing, size_class, value
from .registry import magnet, scenario, v1, v2


@scenario
async def about_the_server(probe: Probe) -> None:
    """What the server tells about itself."""
    await probe.login()
    await probe.get("app/version")
    await probe.get("app/webapiVersion")
    await probe.get("app/buildInfo", keys)  # the libraries are updated at any time
    await probe.get("app/processInfo", keys)
    await probe.get("transfer/info", keys)
    await probe.get("app/networkInterfaceList", keys)
    await probe.get("torrents/count")
    await probe.get("/", size_class)
    await probe.get(
        "app/preferences",
        value(
            "auto_tmm_enabled",
            "bypass_local_auth",
            "current_interface_address",
            "current_network_interface",
            "resume_data_storage_type",
            "web_ui_ban_duration",
            "web_ui_csrf_protection_enabled",
            "web_ui_domain_list",
            "web_ui_host_header_validation_enabled",
            "web_ui_max_auth_fail_count",
            "web_ui_session_timeout",
            "web_ui_sessions_count_limit",
            "web_ui_username",
        ),
    )
    stored = value("resume_data_storage_type")
    for storage in ("SQLite", "neither", "Legacy"):
        change = json.dumps({"resume_data_storage_type": storage})
        await probe.post("app/setPreferences", {"json": change})
        await probe.get("app/preferences", stored)
    await probe.post("app/setPreferences", {"json": "{broken"})
    await probe.post("app/setPreferences", {"x": "1"})
    await probe.get("app/setPreferences")


@scenario
async def server_log(probe: Probe) -> None:
    """log/main and its filters."""
    await probe.login()
    await probe.add(magnet(1, "&dn=logged"))
    await probe.settle()
    info = "log/main?normal=false&info=true&warning=false&critical=false&last_known_id=-1"

    def first(body: bytes) -> object:
        rows = json.loads(body)
        return rows[0]["id"], rows[0]["message"], rows[0]["type"], sorted(rows[0])

    def last(body: bytes) -> object:
        return json.loads(body)[-1]["message"], json.loads(body)[-1]["type"]

    def kinds(body: bytes) -> object:
        return sorted({row["type"] for row in json.loads(body)} - {4, 8})

    await probe.get(info, first)
    await probe.get("log/main?warning=false", last)
    for query in (
        "",
        "?normal=false",
        "?info=false",
        "?normal=0&info=no",
        "?normal=FALSE&info=False",
        "?normal=false&info=false",
        "?normal=false&info=false&last_known_id=0",
        "?last_known_id=1000000",
        "?last_known_id=x",
        "?last_known_id=-5",
    ):
        await probe.get(f"log/main{query}", kinds)
    form = {"normal": "false", "info": "true", "warning": "false", "critical": "false"}
    await probe.post("log/main", form, first)


@scenario
async def maindata(probe: Probe) -> None:
    """sync/maindata, whole and in part."""
    await probe.login()
    basic = value("rid", "full_update", "torrents", "torrents_removed", "categories", "tags")

    def see(body: bytes) -> object:
        seen = basic(body)
        assert isinstance(seen, dict)
        if isinstance(seen["torrents"], dict):
            seen["torrents"] = {key: "hash" in row for key, row in seen["torrents"].items()}
        return seen

    await probe.get("sync/maindata", see)
    await probe.get("sync/maindata?rid=1", see)
    await probe.add(magnet(1), category="c", tags="t")
    await probe.settle()
    await probe.get("sync/maindata?rid=2", see)
    await probe.post("torrents/delete", {"hashes": v1(1), "deleteFiles": "false"})
    await probe.settle()
    await probe.get("sync/maindata?rid=3", see)
    await probe.get("sync/maindata?rid=77", see)
    await probe.get("sync/maindata?rid=0", value("full_update"))


@scenario
async def listing(probe: Probe) -> None:
    """Sorting, cutting, filtering."""
    await probe.login()
    await probe.get("torrents/info?sort=nope", ids)
    numbers = (3, 1, 2, 5, 4)
    for number in numbers:
        name = f"&dn=n{9 - number}"
        category = {"category": "odd"} if number % 2 else {"tags": "even,all"}
        await probe.add(magnet(number, name), **category)
    await probe.add(f"magnet:?xt=urn:btmh:1220{v2(1)}")
    await probe.add(f"magnet:?xt=urn:btih:{v1(8)}&xt=urn:btmh:1220{v2(2)}")
    await probe.settle()
    row = column("hash")
    for query in (
        "sort=hash",
        "sort=hash&reverse=true",
        "sort=hash&reverse=1",
        "sort=name&limit=2",
        "sort=hash&limit=2&offset=1",
        "sort=hash&limit=0",
        "sort=hash&limit=-2",
        "sort=hash&limit=x",
        "sort=hash&offset=-1",
        "sort=hash&offset=-100",
        "sort=hash&offset=7",
        "sort=hash&offset=100",
        "sort=hash&offset=100&limit=1",
        "sort=infohash_v2&reverse=true&limit=2",
        "sort=hash&category=odd",
        "sort=hash&category=none",
        "sort=hash&category=",
        "sort=hash&tag=even",
        "sort=hash&tag=none",
        "sort=hash&tag=",
        "sort=hash&filter=bogus",
        "sort=hash&filter=paused",
        "sort=hash&filter=stopped",
        "sort=hash&filter=downloading",
        "sort=hash&hashes=",
        f"sort=hash&hashes={v1(1)}|{v1(2).upper()}|x",
        f"sort=hash&hashes={v1(1)}%7C{v1(2)}&category=odd",
        "sort=nope",
    ):
        await probe.get(f"torrents/info?{query}", row)
        form = dict(pair.split("=") for pair in query.replace("%7C", "|").split("&"))
        await probe.post("torrents/info", form, row)
    await probe.post("torrents/info?limit=1", {"sort": "hash"}, row)
    await probe.get("torrents/info", keys)
    await probe.get("torrents/count")


@scenario
async def packing(probe: Probe) -> None:
    """Answers above one kilobyte are compressed for who takes it."""
    await probe.login()
    await probe.add("\n".join(magnet(number) for number in range(10)))
    await probe.settle()
    for path in ("app/version", "torrents/info"):
        for accepted in ("gzip, deflate", "identity", "deflate"):
            await probe.get(path, nothing, Accept_Encoding=accepted)
            probe.notes.append((path, accepted, "", probe.encoding))
