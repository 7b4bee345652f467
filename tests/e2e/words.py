"""What the integration says, by the keys of its translations: the tests look for no other words."""

import json
from pathlib import Path

from tests.support.harness.home_assistant import DOMAIN, ROOT

_FILE = ROOT / "custom_components" / DOMAIN / "translations" / "en.json"
# The frontend says this itself, whatever the integration says.
RECONFIGURED = "Reconfiguration was successful"


def word(path: str, file: Path = _FILE, **placeholders: str) -> str:
    """Return a text, for example word("config.step.user.title")."""
    found = json.loads(file.read_text(encoding="utf-8"))
    for key in path.split("."):
        found = found[key]
    text: str = found
    return text.format(**placeholders)
