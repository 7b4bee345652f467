"""Who gets in: log-in, bans, sessions, checks, keys."""

import asyncio
import json

from aiohttp import FormData

from ..probe import Probe, keys, nothing, value
from .registry import configure, scenario


@scenario
async def log_in_and_out(probe: Probe) -> None:
    """Every answer of auth/*."""
    await probe.get("app/version")
    await probe.get("auth/login")
    await probe.get("auth/logout")
    await probe.post("auth/logout")
    await probe.post("auth/nope")
    await probe.login("wrong")
    await probe.post("auth/login", {"x": "1"})
    await probe.send("POST", "auth/login")
    json_header = {"Content-Type": "application/json"}
    await probe.send("POST", "auth/login", data=b'{"username":"admin"}', headers=json_header)
    await probe.login()
    await probe.get("app/version")
    await probe.login("wrong")
    await probe.get("auth/login")
    await probe.post("auth/nope")
    await probe.get("auth/logout")
    old = probe.cookie
    await probe.post("auth/logout")
    probe.cookie = old
    await probe.get("app/version")
    probe.cookie = ""
    form = FormData({"username": probe.target.username, "password": probe.target.password})
    form.add_field("file", b"x", filename="x")
    await probe.send("POST", "auth/login", data=form)
    probe.cookie = probe.cookie.replace("=", '="') + '"'
    await probe.get("app/version")
    probe.cookie = f"other=1; {probe.cookie}; more=2"
    await probe.get("app/version")
    probe.cookie = "SID=unknown"
    await probe.get("app/version")


@scenario
async def ban(probe: Probe) -> None:
    """Five failures, the ban and its end."""
    await probe.login()
    await configure(probe, web_ui_ban_duration=4)
    inside, probe.cookie = probe.cookie, ""
    for _ in range(4):
        await probe.login("wrong")
    await probe.login()
    probe.cookie = ""
    for _ in range(6):
        await probe.login("wrong")
    await probe.login()
    await probe.get("app/version")
    probe.cookie = inside
    await probe.get("app/version")
    await probe.login("wrong")
    probe.cookie = ""
    await asyncio.sleep(4.3)
    await probe.login("wrong")
    await probe.login()


@scenario
async def session_end(probe: Probe) -> None:
    """The session times out; its cookie is renewed before."""
    await probe.login()
    await configure(probe, web_ui_session_timeout=6)
    await probe.get("app/version")
    await asyncio.sleep(4)
    await probe.get("app/version")
    await probe.get("app/version")
    await asyncio.sleep(7.2)
    await probe.get("app/version")
    await probe.login()
    await configure(probe, web_ui_session_timeout=3600)


@scenario
async def many_sessions(probe: Probe) -> None:
    """More sessions than some versions keep."""
    cookies = []
    for _ in range(16):
        probe.cookie = ""
        await probe.login()
        cookies.append(probe.cookie)
        if len(cookies) == 10:
            probe.cookie = cookies[0]
            await probe.get("app/version")
    for cookie in cookies:
        probe.cookie = cookie
        await probe.get("app/version")


@scenario
async def no_log_in_needed(probe: Probe) -> None:
    """The server trusts this host."""
    await probe.login()
    await configure(probe, bypass_local_auth=True)
    first = probe.cookie
    probe.cookie = ""
    await probe.get("app/version")
    await probe.get("app/version")
    for path in ("torrents/nope", "nope/nope", "torrents/add", "/"):
        probe.cookie = ""
        await probe.get(path, nothing)
    probe.cookie = ""
    await probe.login("wrong")
    probe.cookie = "SID=unknown"
    await probe.get("app/version")
    probe.cookie = ""
    await probe.post("auth/logout")
    for _ in range(16):
        probe.cookie = ""
        await probe.get("app/version")
    probe.cookie = first
    await probe.get("app/version")


@scenario
async def host_check(probe: Probe) -> None:
    """Names and ports in the Host header."""
    port = probe.target.url.rpartition(":")[2]
    hosts = ["127.0.0.1", "127.0.0.1:1", "example.org", f"example.org:{port}", "example.org:1"]
    hosts += ["localhost", "a.lan", "A.LAN", "lan", f"localhost:{port}", "[::1]", "", "a b"]
    hosts += [f"127.0.0.1:{port}"]
    await probe.login()
    for preferences in (
        {"web_ui_domain_list": "*"},
        {"web_ui_domain_list": "example.org; *.lan"},
        {"web_ui_host_header_validation_enabled": False},
    ):
        await configure(probe, **preferences)
        for host in hosts:
            await probe.get("app/version", Host=host)
    await configure(probe, web_ui_host_header_validation_enabled=True, web_ui_domain_list="*")


@scenario
async def origin_check(probe: Probe) -> None:
    """Where a request says it comes from."""
    url, port = probe.target.url, probe.target.url.rpartition(":")[2]
    await probe.login()
    sources = [url, f"{url}/x", f"https://127.0.0.1:{port}", f"http://localhost:{port}", "null"]
    sources += ["http://127.0.0.1", "http://127.0.0.1:1", "garbage", ""]
    for source in sources:
        await probe.get("app/version", Origin=source)
        await probe.get("app/version", Referer=source)
    await probe.get("app/version", Origin=url, Referer="http://x")
    await probe.get("app/version", Origin="http://x", Referer=url)
    await probe.get("app/version", Host="x", Origin="http://x")
    await probe.get("app/version", Host="x", X_Forwarded_Host="y", Origin="http://y")
    await probe.get("app/version", Host="x", X_Forwarded_Host="y", Origin="http://x")
    await probe.get("app/version", Sec_Fetch_Site="cross-site")
    await probe.get("app/version", Sec_Fetch_Site="same-origin")
    await configure(probe, web_ui_csrf_protection_enabled=False)
    await probe.get("app/version", Origin="http://x")
    await probe.get("app/version", Sec_Fetch_Site="cross-site")
    probe.cookie = ""
    await probe.login(Referer="http://x")
    await configure(probe, web_ui_csrf_protection_enabled=True)


@scenario
async def api_key(probe: Probe) -> None:
    """A key in place of a log-in."""
    await probe.login()
    await probe.get("app/rotateAPIKey")
    body = await probe.post("app/rotateAPIKey", see=keys)
    key = json.loads(body)["apiKey"] if body.startswith(b"{") else "qbt_none"
    cookie, probe.cookie = probe.cookie, ""
    bearer = f"Bearer {key}"
    for path in ("app/version", "sync/maindata?rid=0", "sync/maindata?rid=1", "torrents/nope", "/"):
        see = value("full_update") if "maindata" in path else nothing
        await probe.get(path, see, Authorization=bearer)
    await probe.get("app/version", Authorization=bearer, Origin="http://x")
    await probe.get("app/version", Authorization=bearer, Host="127.0.0.1:1")
    await probe.get("app/version", Authorization="Bearer wrong")
    await probe.get("app/version", Authorization="Bearer ")
    await probe.get("app/version", Authorization=f"bearer {key}")
    await probe.post("auth/login", {"username": "admin"}, Authorization=bearer)
    await probe.post("auth/logout", Authorization=bearer)
    probe.cookie = cookie
    await probe.get("app/version", Authorization="Bearer wrong")
    await probe.post("app/deleteAPIKey")
    await probe.get("app/version", Authorization=bearer)
    probe.cookie = ""
    await probe.get("app/version", Authorization=bearer)
