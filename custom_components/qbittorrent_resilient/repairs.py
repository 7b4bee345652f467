"""The repair flows, which run when the user confirms an issue."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .core.errors import StorageError
from .core.outbox.files import confirm
from .core.outbox.job import Stage
from .issues import IssueKind
from .reasons import async_reason_text
from .runtime import ResilientConfigEntry
from .storage.queue_storage import async_discard_orphans


class DiscardOrphans(ConfirmRepairFlow):
    """Deletes the magnets that outlived their entry."""

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, then delete."""
        if user_input is not None:
            try:
                await async_discard_orphans(self.hass)
            except StorageError:
                return self.async_abort(reason="not_deleted")
        return await super().async_step_confirm(user_input)


class ConfirmDamage(ConfirmRepairFlow):
    """Notes that the user knows of a file that was set aside, which is not told again then."""

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Show where the file is, then note it."""
        if user_input is not None and self.data is not None:
            file = Path(self.hass.config.path(str(self.data["file"])))
            with suppress(OSError):  # it may be gone
                await self.hass.async_add_executor_job(confirm, file)
        return await super().async_step_confirm(user_input)


class HandleFailedMagnets(RepairsFlow):
    """Queues the failed magnets again, or removes them."""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask the user which of the two to do."""
        issue = ir.async_get(self.hass).async_get_issue(self.handler, self.issue_id)
        placeholders = (issue.translation_placeholders if issue else None) or {}
        return self.async_show_menu(
            step_id="init",
            menu_options=["retry", "discard"],
            description_placeholders={**placeholders, "reasons": _reasons(self.hass)},
        )

    async def async_step_retry(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Move the failed magnets back to the queue."""
        return await self._call("retry_failed", {"all": True})

    async def async_step_discard(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Remove the failed magnets from their list."""
        return await self._call("remove_magnets", {"all": True, "list": Stage.FAILED.value})

    async def _call(self, action: str, data: dict[str, str | bool]) -> RepairsFlowResult:
        try:
            await self.hass.services.async_call(DOMAIN, action, data, blocking=True)
        except HomeAssistantError:
            return self.async_abort(reason="not_done")
        return self.async_create_entry(data={})


class LeakMended(ConfirmRepairFlow):
    """Takes the user's word that the torrents of an instance leave by the home line no more."""

    def __init__(self, instance_key: str) -> None:
        """Ask about this instance."""
        self._instance_key = instance_key

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, then let the instance be given magnets again."""
        if user_input is not None:
            entries: list[ResilientConfigEntry] = self.hass.config_entries.async_loaded_entries(
                DOMAIN
            )
            routes = [entry.runtime_data.routes.get(self._instance_key) for entry in entries]
            if not (known := [route for route in routes if route is not None]):
                return self.async_abort(reason="not_running")
            for route in known:
                route.mended()
        return await super().async_step_confirm(user_input)


@callback
def _reasons(hass: HomeAssistant) -> str:
    """Return how many magnets failed for which reason, the most frequent first."""
    entries: list[ResilientConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    counts = Counter(
        item.job.reason
        for entry in entries
        for item in entry.runtime_data.dispatcher.items(Stage.FAILED)
        if item.job.reason
    )
    texts = (
        f"{count} × {async_reason_text(hass, reason)}" for reason, count in counts.most_common()
    )
    return ", ".join(texts) or "?"


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow of a fixable issue; most issues only have to be confirmed."""
    if issue_id == IssueKind.FAILED_MAGNETS:
        return HandleFailedMagnets()
    if issue_id == IssueKind.MAGNETS_KEPT:
        return DiscardOrphans()
    if issue_id.startswith(IssueKind.QUEUE_UNREADABLE):
        return ConfirmDamage()
    if issue_id.startswith(f"{IssueKind.LEAKING}_"):
        return LeakMended(issue_id.removeprefix(f"{IssueKind.LEAKING}_"))
    return ConfirmRepairFlow()
