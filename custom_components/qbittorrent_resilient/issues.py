"""What the user is told about stored magnets, in Home Assistant's repairs."""

import logging
from pathlib import Path

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import STORAGE_DIR

from .const import DOMAIN
from .core.errors import StorageError
from .record_file import RecordFile

_LOGGER = logging.getLogger(__name__)

KEPT = "magnets_kept"
NEWER = "queue_too_new"
UNREADABLE_FILE = "queue_unreadable"
UNREADABLE_MAGNETS = "magnets_unreadable"


async def async_set_aside(hass: HomeAssistant, file: RecordFile) -> None:
    """Keep a file that cannot be understood, and tell the user; raises StorageError."""
    try:
        kept = await file.set_aside()
    except OSError as err:
        raise StorageError("the damaged queue cannot be renamed") from err
    if kept is not None:
        async_tell_set_aside(hass, kept)


@callback
def async_tell_set_aside(hass: HomeAssistant, kept: Path) -> None:
    """Tell that a file could not be understood, and where it is now.

    It persists: power often goes more than once, and nobody may have seen it before that.
    """
    _LOGGER.error("A stored queue is unreadable and left out; the file is kept: %s", kept)
    _tell(
        hass,
        UNREADABLE_FILE,
        ir.IssueSeverity.ERROR,
        {"file": f"{STORAGE_DIR}/{kept.name}"},  # it gets into the diagnostics
        suffix=f"_{kept.name}",
        fixable=True,
    )


async def async_clean_up(hass: HomeAssistant) -> None:
    """Take back what was said of files that are gone."""
    told = {
        issue.issue_id: Path(hass.config.path(str(issue.data["file"])))
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.data and "file" in issue.data
    }

    def gone() -> list[str]:
        return [issue_id for issue_id, file in told.items() if not file.exists()]

    for issue_id in await hass.async_add_executor_job(gone):
        ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_tell_newer(hass: HomeAssistant) -> None:
    """Tell that a newer version has written the queue."""
    _tell(hass, NEWER, ir.IssueSeverity.ERROR)


@callback
def async_tell_unreadable(hass: HomeAssistant, count: int) -> None:
    """Tell how many stored magnets cannot be read, or that there is none any more."""
    if count:
        _tell(hass, UNREADABLE_MAGNETS, ir.IssueSeverity.WARNING, {"count": str(count)})
    else:
        async_take_back(hass, UNREADABLE_MAGNETS)


@callback
def async_tell_kept(hass: HomeAssistant, count: int) -> None:
    """Tell how many magnets outlived their entry; there may be no entry at the next start."""
    _tell(hass, KEPT, ir.IssueSeverity.WARNING, {"count": str(count)}, fixable=True)


@callback
def async_take_back(hass: HomeAssistant, issue: str) -> None:
    """Say no longer what is no longer so."""
    ir.async_delete_issue(hass, DOMAIN, issue)


def _tell(
    hass: HomeAssistant,
    issue: str,
    severity: ir.IssueSeverity,
    placeholders: dict[str, str] | None = None,
    *,
    suffix: str = "",
    fixable: bool = False,
) -> None:
    """Create an issue; one that the user has to confirm stays until then."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{issue}{suffix}",
        data=dict(placeholders) if placeholders else None,
        is_fixable=fixable,
        is_persistent=fixable,
        severity=severity,
        translation_key=issue,
        translation_placeholders=placeholders,
    )
