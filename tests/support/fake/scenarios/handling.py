"""Odd requests, deleting, categories, and what a restart or a stop does."""

from collections.abc import AsyncIterator
import json

from ..probe import Probe, ids, keys
from .registry import magnet, scenario, v1


@scenario
async def wrong_requests(probe: Probe) -> None:
    """Methods, paths and bodies that do not fit."""
    for logged_in in (False, True):
        if logged_in:
            await probe.login()
        for path in ("app/nope", "nope/nope", "app", "app/", "/api/v2", "/api/v1/app", "/nope"):
            await probe.get(path)
        for path in ("torrents/add", "torrents/delete", "torrents/createCategory"):
            await probe.get(path)
        await probe.post("app/version", {"x": "1"})
        await probe.send("POST", "app/version")
        for method in ("PUT", "OPTIONS", "DELETE", "PATCH"):
            await probe.send(method, "app/version")
        body = f"urls={magnet(1)}".encode()
        await probe.send("POST", "torrents/add", data=body, skip=["Content-Type"])
        for kind in ("application/json", "text/plain", "multipart/form-data"):
            await probe.send("POST", "torrents/add", data=body, headers={"Content-Type": kind})
    await probe.get("torrents/info", ids)


@scenario
async def chunked(probe: Probe) -> None:
    """A body of unknown length is not understood."""

    async def body() -> AsyncIterator[bytes]:
        yield f"urls={magnet(1)}".encode()

    await probe.login()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    await probe.send("POST", "torrents/add", data=body(), headers=kind)
    await probe.settle()
    await probe.get("torrents/info", ids)


@scenario
async def deleting(probe: Probe) -> None:
    """torrents/delete."""
    await probe.login()
    await probe.add("\n".join(magnet(number) for number in range(6)))
    await probe.settle()
    for form in (
        {},
        {"hashes": ""},
        {"hashes": v1(1)},
        {"deleteFiles": "false"},
        {"hashes": "x", "deleteFiles": "false"},
        {"hashes": f"{v1(1)}|{v1(2).upper()}|x", "deleteFiles": "false"},
        {"hashes": v1(3), "deleteFiles": "true"},
        {"hashes": "", "deleteFiles": "false"},
    ):
        await probe.post("torrents/delete", form)
    await probe.settle()
    await probe.get("torrents/info", ids)
    await probe.post("torrents/delete", {"hashes": "all", "deleteFiles": "false"})
    await probe.settle()
    await probe.get("torrents/info", ids)
    await probe.add(magnet(1))


@scenario
async def categories(probe: Probe) -> None:
    """torrents/createCategory and torrents/categories."""
    await probe.login()
    await probe.get("torrents/categories")
    for name in ("a", "a", "b/c/d", "b", "/x", "x/", "a//b", "a\\b", "", " ", "\u00e4"):
        await probe.post("torrents/createCategory", {"category": name})
    await probe.post("torrents/createCategory", {"category": "p", "savePath": "/tmp/p"})
    await probe.post("torrents/createCategory", {"x": "1"})
    await probe.send("POST", "torrents/createCategory")
    await probe.get("torrents/categories")


@scenario
async def restarted(probe: Probe) -> None:
    """What a restart changes for the client."""
    await probe.login()
    body = await probe.get("app/processInfo", keys)
    await probe.target.restart()
    await probe.get("app/version")
    probe.cookie = ""
    await probe.login()
    again = await probe.get("app/processInfo", keys)
    if body.startswith(b"{"):
        launched = [json.loads(answer)["launch_time"] for answer in (body, again)]
        probe.notes.append(("launched later", launched[0] < launched[1]))


@scenario
async def frozen(probe: Probe) -> None:
    """A stopped process answers nothing, and does later what it was sent."""
    await probe.login()
    await probe.target.freeze()
    form = {"urls": magnet(1), "paused": "true", "stopped": "true"}
    await probe.send("POST", "torrents/add", data=form, seconds=0.5)
    await probe.send("GET", "app/version", seconds=0.5)
    await probe.target.thaw()
    await probe.settle()
    await probe.get("torrents/info", ids)
