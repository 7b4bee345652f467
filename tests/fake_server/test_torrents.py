"""The fake takes, refuses and lists torrents as each version does."""

import pytest

from tests.support.fake import V5_3, Dialect

from .conftest import H1, H2, H3, Client, link

V2 = "d" * 64
HYBRID = f"magnet:?xt=urn:btih:{H1}&xt=urn:btmh:1220{V2}"


async def test_add_answers(client: Client, dialect: Dialect) -> None:
    """New, mixed, present, bad, and fetched sources."""

    async def add(urls: str) -> tuple[int, str]:
        shown = await client.post("torrents/add", urls=urls, stopped="true", paused="true")
        if shown.status in (200, 202) and not old:
            counts = shown.json
            return shown.status, "{success_count} {pending_count} {failure_count}".format(**counts)
        return shown.status, shown.text

    old = dialect.name < "5.2"
    yes, no = (200, "Ok."), (200, "Fails.")
    assert await add(link(H1)) == (yes if old else (200, "1 0 0"))
    assert await add(f"{link(H1)}\r\n {link(H2)} \r\nbad") == (yes if old else (200, "1 0 2"))
    assert await add(f"{link(H3)}\n{link(H3)}") == (yes if old else (200, "2 0 0"))
    for none in (link(H1), "bad", "", f"{link('d' * 40)} {link('e' * 40)}"):
        assert await add(none) == (no if old else (409, "Conflict"))
    assert await add("http://127.0.0.1:9/x") == (yes if old else (202, "0 1 0"))
    assert await client.hashes() == {H1, H2, H3} == client.server.hashes
    assert client.server.adds[:2] == [[link(H1)], [link(H1), link(H2), "bad"]]


@pytest.mark.parametrize("dialect", [V5_3], indirect=True)
async def test_ids_in_the_answer(client: Client) -> None:
    """The newest version names what it added by its `hash`."""
    shown = await client.post("torrents/add", urls=HYBRID)
    assert shown.json["added_torrent_ids"] == [V2[:40]]


@pytest.mark.parametrize("digits", ["0" * 40, "z" * 40])
async def test_yes_is_a_lie(client: Client, dialect: Dialect, digits: str) -> None:
    """Some hashes are taken and never listed."""
    shown = await client.post("torrents/add", urls=link(digits))
    refused = dialect.libtorrent >= (2, 0, 14) and digits[0] == "z"
    assert shown.status == (409 if refused else 200)
    if dialect.name >= "5.2" and not refused:
        assert shown.json["added_torrent_ids"] == ["0" * 40]
    assert shown.text != "Fails."
    assert not await client.hashes()


@pytest.mark.parametrize(
    "source",
    [
        link("a" * 39),
        link("a" * 41),
        link("a" * 31),
        "magnet:?dn=x",
        "magnet:?xt=urn:ed2k:" + "a" * 32,
        "magnet:?xt=urn:btmh:" + V2,
        f"MAGNET:?xt=urn:btih:{H1}",
        f"magnet:?xt=URN:BTIH:{H1}",
        f"magnet://?xt=urn:btih:{H1}",
        link(H1) + "\0",
        "/etc/passwd",
        "foo:bar",
    ],
)
async def test_refused_links(client: Client, source: str) -> None:
    """Malformed links are refused."""
    shown = await client.post("torrents/add", urls=source)
    assert (shown.status, shown.text) in ((200, "Fails."), (409, "Conflict"))
    assert not await client.hashes()


@pytest.mark.parametrize(
    ("source", "listed"),
    [
        (link("A" * 40), H1),
        (link("MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U"), "6162636465666768696a6b6c6d6e6f7071727374"),
        (link("mfrggzdfmztwq2lknnwg23tpobyxe43u"), "6162636465666768696a6b6c6d6e6f7071727374"),
        (link("1" * 32), "42108" * 8),
        (H1, H1),
        (V2, V2[:40]),
        (f"magnet:?xt=urn:btmh:1220{V2}", V2[:40]),
        (HYBRID, V2[:40]),
        (f"magnet:?XT.1=urn%3Abtih%3A{H1}", H1),
        (f"{link(H1)}&amp;dn=x&tr=bad&dn=%zz", H1),
        (f"{link(H1)}&xt=urn:btih:{H2}", H2),
    ],
)
async def test_taken_links(client: Client, source: str, listed: str) -> None:
    """Lenient readings and the hash they are listed under."""
    await client.post("torrents/add", urls=source)
    assert await client.hashes() == {listed}


async def test_hybrid(client: Client) -> None:
    """Only `hash` finds a torrent; it changes when the metadata comes."""
    await client.post("torrents/add", urls=link(H1))
    client.server.become_hybrid(H1, V2)
    assert (await client.get(f"torrents/info?hashes={H1}")).json == []
    found = await client.post("torrents/info", hashes=f"x|{V2[:40].upper()}")
    row = found.json[0]
    assert (row["hash"], row["infohash_v1"], row["infohash_v2"]) == (V2[:40], H1, V2)
    for known in (link(H1), HYBRID, f"magnet:?xt=urn:btmh:1220{V2}"):
        shown = await client.post("torrents/add", urls=known)
        assert (shown.status, shown.text) in ((200, "Fails."), (409, "Conflict"))


async def test_two_halves_become_one(client: Client) -> None:
    """The v1-only and the v2-only torrent are one after the metadata."""
    await client.post("torrents/add", urls=f"{link(H1)}\nmagnet:?xt=urn:btmh:1220{V2}")
    assert len(await client.hashes()) == 2
    client.server.become_hybrid(H1, V2)
    assert await client.hashes() == {V2[:40]}


async def test_fields(client: Client, dialect: Dialect) -> None:
    """Stopped, category and tags, each version's way."""
    word, other = ("paused", "stopped") if dialect.name < "5" else ("stopped", "paused")
    form = {"category": "a/b", "tags": "x,y , z"}
    await client.post("torrents/add", urls=link(H1), **form, **{word: "true"})
    await client.post("torrents/add", urls=link(H2), category="/bad", **{other: "true"})
    await client.post("torrents/add", urls=link(H3), **{word: "1"})
    rows = {row["hash"]: row for row in (await client.get("torrents/info")).json}
    assert rows[H1]["state"] == f"{word}DL"
    assert {rows[H2]["state"], rows[H3]["state"]} == {"metaDL"}
    assert rows[H1]["tags"] == (" z, x, y " if dialect.name < "5" else "x, y, z")
    assert [rows[key]["category"] for key in (H1, H2, H3)] == ["a/b", "", ""]
    names = set((await client.get("torrents/categories")).json)
    assert names == ({"a", "a/b"} if dialect.creates_parents else {"a/b"})


async def test_added_stopped_by_preference(client: Client, dialect: Dialect) -> None:
    """A server that starts nothing by itself; what an add says counts all the same."""
    word, preference = (
        ("paused", "start_paused_enabled")
        if dialect.name < "5"
        else ("stopped", "add_stopped_enabled")
    )
    await client.post("app/setPreferences", json=f'{{"{preference}": true, "other": true}}')
    assert (await client.get("app/preferences")).json[preference] is True
    for key, form in ((H1, {}), (H2, {word: "false"}), (H3, {word: "0"})):
        await client.post("torrents/add", urls=link(key), **form)
    rows = {row["hash"]: row["state"] for row in (await client.get("torrents/info")).json}
    assert rows == {H1: f"{word}DL", H2: "metaDL", H3: f"{word}DL"}


async def test_order_of_pieces(client: Client) -> None:
    await client.post("torrents/add", urls=link(H1), sequentialDownload="true")
    await client.post("torrents/add", urls=link(H2), firstLastPiecePrio="True")
    await client.post("torrents/add", urls=link(H3), sequentialDownload="1")
    rows = {row["hash"]: row for row in (await client.get("torrents/info")).json}
    assert [rows[key]["seq_dl"] for key in (H1, H2, H3)] == [True, False, False]
    assert [rows[key]["f_l_piece_prio"] for key in (H1, H2, H3)] == [False, True, False]


async def test_listing(client: Client) -> None:
    """Sorting and cutting; an empty `hashes` lists everything."""
    client.server.add(link(H1), link(H3), link(H2), HYBRID.replace(H1, "e" * 40))
    sort = await client.get("torrents/info?sort=infohash_v2&reverse=true&limit=1")
    assert [row["infohash_v2"] for row in sort.json] == [V2]
    page = await client.post("torrents/info", sort="hash", limit="2", offset="1")
    assert [row["hash"] for row in page.json] == [H2, H3]
    assert len((await client.get("torrents/info?hashes=")).json) == 4
    assert (await client.get("torrents/info?hashes=garbage")).json == []
    assert (await client.get("torrents/info?sort=nope")).status == 400


async def test_save_path_while_torrents_are_managed(client: Client, dialect: Dialect) -> None:
    """4.5 ignores it, later ones go by it."""
    client.server.torrents.auto_tmm = True
    await client.post("torrents/add", urls=link(H1), savepath="/mine")
    (row,) = (await client.get("torrents/info")).json
    assert (row["save_path"] == "/mine") is (dialect.name >= "4.6")


async def test_page_after_the_last(client: Client, dialect: Dialect) -> None:
    """Up to 5.1 it is the first again."""
    client.server.add(link(H1), link(H2))
    page = await client.post("torrents/info", sort="hash", limit="2", offset="2")
    assert [row["hash"] for row in page.json] == ([] if dialect.name >= "5.2" else [H1, H2])


async def test_delete(client: Client) -> None:
    """By hash or all."""
    client.server.add(link(H1), link(H2), link(H3))
    assert (await client.post("torrents/delete", hashes=H1)).status == 400
    await client.post("torrents/delete", hashes=H1, deleteFiles="false")
    assert await client.hashes() == {H2, H3}
    await client.post("torrents/delete", hashes="all", deleteFiles="true")
    assert not await client.hashes()
    assert (await client.post("torrents/add", urls=link(H1))).text != "Fails."


async def test_multipart(client: Client) -> None:
    """A form with parts counts like any other."""
    boundary = "xYz"
    parts = [("urls", link(H1)), ("category", "films")]
    body = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts
    )
    kind = f"multipart/form-data; boundary={boundary}"
    data = f"{body}--{boundary}--\r\n".encode()
    await client.send("POST", "torrents/add", data=data, Content_Type=kind)
    assert [torrent.category for torrent in client.server.torrents] == ["films"]
