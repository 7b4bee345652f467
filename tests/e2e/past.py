"""A day that has been: states that Home Assistant's recorder would have, had it run that long."""

import asyncio
from collections.abc import Iterable
from contextlib import closing
import sqlite3
import time

from tests.support.harness.home_assistant import HomeAssistant

HOUR = 3600.0
PATIENCE = 30.0
"""Until the recorder has written an entity that it has just learnt of; it does every 5 s."""
KNOWN = """
SELECT s.metadata_id, s.attributes_id FROM states s JOIN states_meta m
ON s.metadata_id = m.metadata_id WHERE m.entity_id = ? ORDER BY s.state_id DESC
"""
INSERT = """
INSERT INTO states (state, last_updated_ts, metadata_id, attributes_id, origin_idx)
VALUES (?, ?, ?, ?, 0)
"""


async def remember(
    home: HomeAssistant, entity_id: str, states: Iterable[tuple[float, str]]
) -> None:
    """Write into the recorder that an entity had these states, each since so many hours ago."""
    now = time.time()
    path = home.folder / "home-assistant_v2.db"
    with closing(sqlite3.connect(path, timeout=PATIENCE)) as database:
        async with asyncio.timeout(PATIENCE):
            while (found := database.execute(KNOWN, (entity_id,)).fetchone()) is None:
                await asyncio.sleep(0.5)
        rows = [(state, now - ago * HOUR, *found) for ago, state in states]
        with database:
            database.executemany(INSERT, rows)
