"""A day that has been: states that Home Assistant's recorder would have, had it run that long."""

from collections.abc import Iterable
import sqlite3
import time

from tests.support.harness.home_assistant import HomeAssistant

HOUR = 3600.0


def remember(home: HomeAssistant, entity_id: str, states: Iterable[tuple[float, str]]) -> None:
    """Write into the recorder that an entity had these states, each since so many hours ago."""
    now = time.time()
    with sqlite3.connect(home.folder / "home-assistant_v2.db", timeout=30) as database:
        found = database.execute(
            "SELECT s.metadata_id, s.attributes_id FROM states s JOIN states_meta m "
            "ON s.metadata_id = m.metadata_id WHERE m.entity_id = ? ORDER BY s.state_id DESC",
            (entity_id,),
        ).fetchone()
        assert found, f"the recorder knows no {entity_id}"
        metadata, attributes = found
        database.executemany(
            "INSERT INTO states (state, last_updated_ts, metadata_id, attributes_id, origin_idx) "
            "VALUES (?, ?, ?, ?, 0)",
            [(state, now - ago * HOUR, metadata, attributes) for ago, state in states],
        )
    database.close()
