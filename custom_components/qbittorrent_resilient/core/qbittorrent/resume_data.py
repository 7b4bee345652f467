"""How a server stores its resume data, as its settings tell: whether a failed save is logged."""

import re

from .answer import Answer
from .dialect import json_of

_LOGS_EACH = re.compile(r"v?4\.[0-5](?!\d)")
"""The versions that log what cannot be stored in SQLite; later ones do not look whether it was."""


def may_fail_unsaid(preferences: Answer, version: str | None) -> bool:
    """Tell whether this version may fail to save and not log it; raises ProtocolError."""
    in_sqlite = json_of(preferences, dict).get("resume_data_storage_type") == "SQLite"
    return in_sqlite and _LOGS_EACH.match(version or "") is None
