"""What becomes of what is added."""

import json

from aiohttp import FormData

from tests.support.torrents import info_of, torrent

from ..probe import Probe, hashes, ids, keys, only
from .registry import IDENTITY, configure, magnet, scenario, v1, v2


@scenario
async def add_answers(probe: Probe) -> None:
    """What an add is answered."""
    await probe.add(magnet(1))
    await probe.login()
    await probe.add(magnet(1))
    await probe.settle()
    await probe.add(magnet(1))
    await probe.add(f"{magnet(2)}\n{magnet(1)}\nbad")
    await probe.add(f"{magnet(3)}\r\n\r\n  {magnet(3)}\t\r\n")
    await probe.settle()
    await probe.add(f"{magnet(1)}\n{magnet(2)}")
    await probe.add("")
    await probe.post("torrents/add", {"x": "1"})
    await probe.send("POST", "torrents/add")
    await probe.post(f"torrents/add?urls={magnet(4)}", {"x": "1"})
    for source in ("http://127.0.0.1:9/x", "HTTPS://127.0.0.1:9/x", "ftp://127.0.0.1:9/x"):
        await probe.add(source)
    await probe.add(f"http://127.0.0.1:9/y\n{magnet(5)}\nbad")
    form = FormData({"urls": f"{magnet(6)}\n{magnet(7)}", "paused": "true", "stopped": "true"})
    form.add_field("category", "multi", content_type="text/plain; charset=utf-8")
    await probe.send("POST", "torrents/add", data=form)
    form = FormData({"urls": magnet(8), "stopped": "true"}, default_to_multipart=True)
    await probe.send("POST", "torrents/add", data=form)
    await probe.settle()
    await probe.get("torrents/info", only(("hash", "category")))
    await probe.get("torrents/count")


@scenario
async def torrent_files(probe: Probe) -> None:
    """What an add of torrent files is answered, and what becomes of them."""
    await probe.login()

    async def add(*files: bytes, urls: str = "") -> None:
        form = FormData({"stopped": "true", "paused": "true"}, default_to_multipart=True)
        if urls:
            form.add_field("urls", urls)
        for number, data in enumerate(files):
            form.add_field("torrents", data, filename=f"{number}.torrent")
        await probe.send("POST", "torrents/add", data=form)
        await probe.settle()

    one, two, three = torrent(1).data, torrent(2, "v2").data, torrent(3, "hybrid").data
    await add(one)
    await add(one)
    await add(two)
    await add(three)
    await add(one, torrent(4).data)
    for bad in (b"<html>", one[:-1], b"", b"de", torrent(9, info=info_of(9, pieces=b"")).data):
        await add(bad)
    await add(torrent(5).data + b"garbage")
    await add(b"bad", urls=magnet(6))
    await add(torrent(7).data, urls=magnet(8))
    await add(torrent(10).data, urls=torrent(10).magnet)
    hybrid = torrent(11, "hybrid")
    await add(urls=f"magnet:?xt=urn:btih:{hybrid.v1}")
    await add(hybrid.data)
    await probe.get("torrents/info", hashes)


@scenario
async def magnets_taken_and_refused(probe: Probe) -> None:
    """Links of every kind, each for itself, and what they become."""
    await probe.login()
    sources = [
        f"magnet:?XT=urn:btih:{v1(1)}",
        f"magnet:?xt.1=urn:btih:{v1(2)}",
        f"magnet:?dn=a+b%20c&xt=urn:btih:{v1(3)}",
        f"magnet:?xt=urn%3Abtih%3A{v1(4)}",
        magnet(5, "&amp;dn=name&amp;tr=http://127.0.0.1:1/a"),
        magnet(6, "&tr=garbage&dn=%zz"),
        magnet(7, "&dn=%ff"),
        magnet(8, "&dn=a%0Ab"),
        magnet(9, "&dn="),
        magnet(10, "&dn=one&dn=two"),
        magnet(11, f"&xt=urn:btih:{v1(12)}"),
        magnet(13, "&tr=%zz&tr=&x.pe=127.0.0.1:1&so=0&unknown&=&dn=x"),
        magnet(14, f"&xt=urn:ed2k:{v1(15)[:32]}"),
        magnet(16, "&dn=" + "x" * 65536),
        magnet(17, "&dn=../../x"),
        f"magnet:?xt=urn:btih:{v1(18).upper()}",
        v1(19),
        v2(20),
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "magnet:?xt=urn:btih:bbcdefghijklmnopqrstuvwxyz234567",
        "magnet:?xt=urn:btih:1bcdefghijklmnopqrstuvwxyz234567",
        "1ccdefghijklmnopqrstuvwxyz234567",
        f"magnet:?xt=urn:btmh:1220{v2(21)}&dn=two",
        f"magnet:?xt=urn:btih:{v1(22)}&xt=urn:btmh:1220{v2(23)}",
        f"magnet:?xt=urn:btmh:1220{v2(24).upper()}&xt=urn:btih:{v1(25)}",
        f"magnet:?xt=urn:btmh:1220{v2(24)[:40]}{'f' * 24}",
        "magnet:?xt=urn:btih:" + "0" * 40,
        "magnet:?xt=urn:btih:" + "z" * 40,
        "magnet:?xt=urn:btih:1234567890" + "z" * 30,
        "magnet:?xt=urn:btmh:1220" + "z" * 64,
        "magnet:?xt=urn:btmh:12203456789012" + "z" * 54,
        "magnet:?xt=urn:btmh:1220" + "0" * 64,
        *(f"magnet:?xt=urn:btih:{digit * 32}" for digit in "0189!="),
        "magnet:?xt=urn:btih:" + "a" * 24 + "=" * 8,
        f"magnet:?xt=urn:btih:{v1(30)}0",
        f"magnet:?xt=urn:btih:{v1(31)[1:]}",
        "magnet:?xt=urn:btih:" + "a" * 31,
        f"magnet:?xt=urn:btih: {v1(32)}",
        f"magnet:?xt=URN:BTIH:{v1(33)}",
        f"MAGNET:?xt=urn:btih:{v1(34)}",
        f"Magnet:?xt=urn:btih:{v1(35)}",
        f"magnet://?xt=urn:btih:{v1(36)}",
        f"magnet:xt=urn:btih:{v1(37)}",
        f"magnet:?xt=urn:ed2k:{v1(38)[:32]}",
        "magnet:?dn=x",
        "magnet:?",
        "magnet:",
        f"{magnet(39)} {magnet(40)}",
        f"{magnet(41)}|{magnet(42)}",
        f"{magnet(43)},{magnet(44)}",
        magnet(45, "&xt=urn:btih:bad"),
        f"magnet:?xt=urn:btih:bad&xt=urn:btih:{v1(46)}",
        magnet(47, "&xt=urn:btmh:bad"),
        f"magnet:?&&xt=urn:btih:{v1(48)}",
        f"magnet:?xt=urn:btmh:{v2(49)}",
        "magnet:?xt=urn:btmh:122012",
        f"1220{v2(50)}",
        magnet(51, "\0"),
        "/etc/passwd",
        "file:///nonexistent",
        "data:x",
        "foo:bar",
        "x",
        f"magnet:?xt=urn:btih:{v1(52)}\tx",
        f"magnet:?xt=urn:btih:{v1(53)}\u2028",
        magnet(54, "&dn=\u00e4\u2028\U0001f600"),
    ]
    for source in sources:
        await probe.add(source)
    await probe.settle()
    await probe.get("torrents/info?sort=hash", only(IDENTITY))


@scenario
async def trackers(probe: Probe) -> None:
    """Trackers of a link are counted once each."""
    await probe.login()
    await probe.add(
        magnet(1, "&tr=http%3A%2F%2F127.0.0.1%3A1%2Fa&tr=http%3A%2F%2F127.0.0.1%3A1%2Fb")
    )
    await probe.add(magnet(2, "&tr=http%3A%2F%2F127.0.0.1%3A1%2Fa" * 2))
    await probe.settle()
    await probe.get("torrents/info", only(("hash", "tracker", "trackers_count")))


@scenario
async def hybrids(probe: Probe) -> None:
    """Which torrents count as the same, and under which hash they are found."""
    await probe.login()
    both = f"magnet:?xt=urn:btih:{v1(1)}&xt=urn:btmh:1220{v2(1)}"
    await probe.add(both)
    await probe.add(magnet(2))
    await probe.add(f"magnet:?xt=urn:btmh:1220{v2(3)}")
    await probe.settle()
    await probe.add(magnet(1))
    await probe.add(f"magnet:?xt=urn:btmh:1220{v2(1)}")
    await probe.add(f"magnet:?xt=urn:btih:{v1(2)}&xt=urn:btmh:1220{v2(2)}")
    await probe.add(f"magnet:?xt=urn:btih:{v1(3)}&xt=urn:btmh:1220{v2(3)}")
    await probe.settle()
    await probe.get("torrents/info", only(IDENTITY))
    for wanted in (v1(1), v2(1), v2(1)[:40], v2(1)[:40].upper(), v1(2), "all"):
        await probe.get(f"torrents/info?hashes={wanted}", ids)
        await probe.post("torrents/info", {"hashes": f"garbage|{wanted}|{wanted}"}, ids)


@scenario
async def fields(probe: Probe) -> None:
    """What the fields of an add do."""
    await probe.login()
    cases: list[dict[str, str]] = [
        {},
        {"stopped": "true"},
        {"paused": "true"},
        {"paused": "TRUE", "stopped": "True"},
        {"category": "a/b"},
        {"category": "/x"},
        {"category": "a//b"},
        {"category": "a\\b"},
        {"category": "x/"},
        {"tags": "a,b , c,,a"},
        {"tags": "Z,z, "},
        {"savepath": "/tmp/x"},
        {"savepath": "rel"},
        {"savepath": "/tmp/x", "autoTMM": "true"},
        {"savepath": "/tmp/x", "autoTMM": "false"},
        {"autoTMM": "true"},
        {"autoTMM": "1"},
        {"unknown": "1", "ratioLimit": "x", "contentLayout": "x"},
        {"rename": "renamed"},
        {"sequentialDownload": "true"},
        {"firstLastPiecePrio": "True"},
        {"sequentialDownload": "1", "firstLastPiecePrio": "false"},
    ]
    placing = ("category", "tags", "save_path", "auto_tmm")
    names = ("hash", "state", *placing, "f_l_piece_prio", "seq_dl")

    def see(body: bytes) -> object:
        default = json.loads(body)[0]["save_path"].encode()
        return only(names)(body.replace(default, b"DEFAULT"))

    for managed in (False, True):
        await configure(probe, auto_tmm_enabled=managed)
        for number, case in enumerate(cases):
            quiet = {} if {"paused", "stopped"} & case.keys() else {"paused": "true"}
            quiet |= {} if {"paused", "stopped"} & case.keys() else {"stopped": "true"}
            form = {"urls": magnet(number + 100 * managed)} | quiet | case
            await probe.post("torrents/add", form)
        await probe.settle()
        await probe.get("torrents/info?sort=hash", see)
    await probe.get("torrents/categories", keys)
    await probe.get("torrents/tags", lambda body: sorted(json.loads(body)))
    await configure(probe, auto_tmm_enabled=False)


@scenario
async def stopped_by_preference(probe: Probe) -> None:
    """A server that starts nothing by itself does so where the add does not say."""
    await probe.login()
    for number, fields in enumerate(
        ({}, {"paused": "false", "stopped": "false"}, {"paused": "1", "stopped": ""})
    ):
        await configure(probe, start_paused_enabled=True, add_stopped_enabled=True)
        await probe.post("torrents/add", {"urls": magnet(number)} | fields)
    await configure(probe, start_paused_enabled=False, add_stopped_enabled=False)
    await probe.add(magnet(9))
    await probe.settle()
    await probe.get("torrents/info?sort=hash", only(("hash", "state")))
