"""The configuration folder of a Home Assistant that has no surprises in store."""

from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any

# No `http:` here: Home Assistant takes it as a trial that ends with a restart.
CONFIGURATION = """\
homeassistant:
  name: qBittorrent Resilient
  unit_system: metric
  time_zone: UTC
frontend:
config:
history:
recorder:
  commit_interval: 1
logbook:
system_health:
person:
automation: !include automations.yaml
script: {{}}
logger:
  default: warning
  logs:
    {component}: {level}
"""


def _store(folder: Path, key: str, version: int, data: dict[str, Any], *, minor: int = 1) -> None:
    """Write one file as Home Assistant's own storage does."""
    storage = folder / ".storage"
    storage.mkdir(exist_ok=True)
    content = {"version": version, "minor_version": minor, "key": key, "data": data}
    (storage / key).write_text(json.dumps(content), encoding="utf-8")


def _without_marketplace(now: str) -> dict[str, Any]:
    """Return config entries with the marketplace disabled: it fetches a catalogue at start."""
    entry = {
        "created_at": now,
        "data": {},
        "disabled_by": "user",
        "discovery_keys": {},
        "domain": "marketplace",
        "entry_id": "01J00000000000000000000000",
        "minor_version": 1,
        "modified_at": now,
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "system",
        "subentries": [],
        "title": "Marketplace",
        "unique_id": None,
        "version": 1,
    }
    return {"entries": [entry]}


def write_config(
    folder: Path, components: Path, port: int, *, address: str, level: str, domain: str
) -> None:
    """Write configuration, HTTP settings and the parts of the onboarding that need no user."""
    folder.mkdir(parents=True, exist_ok=True)
    text = CONFIGURATION.format(component=f"custom_components.{domain}", level=level)
    (folder / "configuration.yaml").write_text(text, encoding="utf-8")
    (folder / "automations.yaml").write_text("[]", encoding="utf-8")  # the editor writes it
    (folder / "custom_components").symlink_to(components, target_is_directory=True)
    now = datetime.now(UTC).isoformat()
    stable = {
        "server_host": [address],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "modern",
        "use_x_frame_options": True,
        "created_at": now,
        "error": None,
        "error_message": None,
    }
    http = {"stable": stable, "pending": None, "yaml_migration_done": True}
    _store(folder, "http", 2, http)
    # These two steps start flows that want the internet.
    _store(folder, "onboarding", 4, {"done": ["core_config", "analytics"]})
    _store(folder, "core.config_entries", 1, _without_marketplace(now), minor=5)
