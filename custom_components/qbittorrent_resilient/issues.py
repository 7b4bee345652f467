"""The issues in Home Assistant's repairs: which there are, and how they are raised and cleared."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
import logging
from pathlib import Path

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.storage import STORAGE_DIR

from .const import DOMAIN, TROUBLESHOOTING_URL
from .storage.queue_storage import StorageReport

_LOGGER = logging.getLogger(__name__)


class IssueKind(StrEnum):
    """What an issue is about; the value is its translation key and the beginning of its id."""

    FAILED_MAGNETS = "failed_magnets"
    ICMP_NOT_PERMITTED = "icmp_not_permitted"
    GLUETUN_AUTH = "gluetun_auth"
    LEAKING = "leaking"
    EXPOSED = "exposed"
    HOME_IS_VPN = "home_is_vpn"
    HOST_REJECTED = "host_rejected"
    BANNED = "banned"
    OLD_QBITTORRENT = "old_qbittorrent"
    INSTANCE_DAMAGED = "instance_damaged"
    SETTINGS_DAMAGED = "settings_damaged"
    MAGNETS_KEPT = "magnets_kept"
    QUEUE_TOO_NEW = "queue_too_new"
    QUEUE_UNREADABLE = "queue_unreadable"
    MAGNETS_UNREADABLE = "magnets_unreadable"


@dataclass(frozen=True, slots=True)
class _Traits:
    """What issues of one kind have in common.

    One that is persistent survives a restart, until the user confirms it or it is cleared.
    """

    severity: ir.IssueSeverity = ir.IssueSeverity.WARNING
    is_fixable: bool = False
    is_persistent: bool = False
    learn_more_url: str | None = None


_EXPLAINED = _Traits(learn_more_url=TROUBLESHOOTING_URL)
_LEAK = _Traits(ir.IssueSeverity.ERROR, is_fixable=True, learn_more_url=TROUBLESHOOTING_URL)
_TRAITS: Mapping[IssueKind, _Traits] = {
    IssueKind.FAILED_MAGNETS: _Traits(is_fixable=True, learn_more_url=TROUBLESHOOTING_URL),
    IssueKind.ICMP_NOT_PERMITTED: _EXPLAINED,
    IssueKind.GLUETUN_AUTH: _EXPLAINED,
    IssueKind.HOST_REJECTED: _EXPLAINED,
    IssueKind.BANNED: _EXPLAINED,
    IssueKind.OLD_QBITTORRENT: _EXPLAINED,
    IssueKind.INSTANCE_DAMAGED: _Traits(ir.IssueSeverity.ERROR),
    IssueKind.SETTINGS_DAMAGED: _Traits(),
    IssueKind.LEAKING: _LEAK,
    IssueKind.EXPOSED: _EXPLAINED,
    IssueKind.HOME_IS_VPN: _EXPLAINED,
    # Persistent, as there may be no entry at the next start that could raise it again.
    IssueKind.MAGNETS_KEPT: _Traits(is_fixable=True, is_persistent=True),
    IssueKind.QUEUE_TOO_NEW: _Traits(ir.IssueSeverity.ERROR),
    # Persistent, as power often fails more than once, and nobody may have seen it before that.
    IssueKind.QUEUE_UNREADABLE: _Traits(
        ir.IssueSeverity.ERROR, is_fixable=True, is_persistent=True
    ),
    IssueKind.MAGNETS_UNREADABLE: _Traits(),
}


@callback
def async_raise(
    hass: HomeAssistant,
    kind: IssueKind,
    placeholders: Mapping[str, str] | None = None,
    *,
    about: str = "",
) -> None:
    """Create an issue, or update it; `about` is the key of an instance or the name of a file.

    Home Assistant renders descriptions as Markdown: names belong into titles only.
    """
    traits = _TRAITS[kind]
    values = dict(placeholders) if placeholders else None
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(kind, about),
        data=dict(values) if values and traits.is_persistent else None,
        is_fixable=traits.is_fixable,
        is_persistent=traits.is_persistent,
        learn_more_url=traits.learn_more_url,
        severity=traits.severity,
        translation_key=kind.value,
        translation_placeholders=values,
    )


@callback
def async_clear(hass: HomeAssistant, kind: IssueKind, *, about: str = "") -> None:
    """Delete an issue. Home Assistant then forgets whether the user ignores it."""
    ir.async_delete_issue(hass, DOMAIN, _issue_id(kind, about))


@callback
def async_clear_all(
    hass: HomeAssistant, kinds: Collection[IssueKind], *, still: Collection[str] = ()
) -> None:
    """Delete all issues of these kinds, except for those with the keys or names in `still`."""
    kept = {_issue_id(kind, about) for kind in kinds for about in still}
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain == DOMAIN and issue_id.startswith(tuple(kinds)) and issue_id not in kept:
            ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_report_storage(hass: HomeAssistant, report: StorageReport) -> None:
    """Raise and clear what follows from a report of the storage."""
    for file in report.unreadable_files:
        _LOGGER.error("A file of the queue is damaged or does not fit; it is kept: %s", file)
        # Not the whole path: the issue is part of the diagnostics.
        placeholders = {"file": f"{STORAGE_DIR}/{file.name}"}
        async_raise(hass, IssueKind.QUEUE_UNREADABLE, placeholders, about=file.name)
    if report.orphans is not None:
        # Whoever chose to keep the earlier ones, which ignores the issue, is told of more.
        async_clear(hass, IssueKind.MAGNETS_KEPT)
        async_report_count(hass, IssueKind.MAGNETS_KEPT, report.orphans)


@callback
def async_report_count(hass: HomeAssistant, kind: IssueKind, count: int) -> None:
    """Raise an issue that says how many magnets it is about, or clear it where there are none."""
    if count:
        async_raise(hass, kind, {"count": str(count)})
    else:
        async_clear(hass, kind)


async def async_clear_gone_files(hass: HomeAssistant) -> None:
    """Delete the issues about files that are no longer there."""
    files = {
        issue.issue_id: Path(hass.config.path(str(issue.data["file"])))
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.data and "file" in issue.data
    }

    def gone() -> list[str]:
        return [
            issue_id for issue_id, file in files.items() if not file.exists(follow_symlinks=False)
        ]

    for issue_id in await hass.async_add_executor_job(gone):
        ir.async_delete_issue(hass, DOMAIN, issue_id)


def _issue_id(kind: IssueKind, about: str) -> str:
    return f"{kind}_{about}" if about else kind.value
