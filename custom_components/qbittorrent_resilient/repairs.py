"""The repair flows, which run when the user confirms an issue."""

from contextlib import suppress
from pathlib import Path
from typing import Any, override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .core import names
from .core.errors import StorageError
from .core.events import NAMES
from .core.outbox.files import confirm
from .core.outbox.job import Stage
from .issues import IssueKind
from .reasons import async_reason_text
from .retried import QUIET_SECONDS
from .runtime import ResilientConfigEntry
from .storage.queue_storage import async_discard_orphans
from .todo_items import newest_failures


class HandleOrphans(RepairsFlow):
    """Keeps the magnets that outlived their entry, or deletes them."""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask the user which of the two to do."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["keep", "delete"],
            description_placeholders=_placeholders(self),
        )

    async def async_step_keep(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ignore the issue: so the user finds it again, and is told anew if there are more."""
        ir.async_ignore_issue(self.hass, self.handler, self.issue_id, True)
        return self.async_abort(reason="kept")

    async def async_step_delete(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Delete them."""
        try:
            await async_discard_orphans(self.hass)
        except StorageError:
            return self.async_abort(reason="not_deleted")
        return self.async_create_entry(data={}, description="deleted")


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
    """Queues the failed magnets and web links again, or removes them."""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Name those that failed last, and ask the user which of the two to do."""
        return self.async_show_menu(
            step_id="init",
            menu_options=["retry", "discard"],
            description_placeholders=_placeholders(self) | {"magnets": _failures(self.hass)},
        )

    async def async_step_retry(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Move the failed magnets back to the queue."""
        if (response := await self._call("retry_failed", {"all": True})) is None:
            return self.async_abort(reason="not_done")
        return self._done("retried", len(response["queued"]))

    async def async_step_discard(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Remove the failed magnets from their list."""
        data: dict[str, str | bool] = {"all": True, "list": Stage.FAILED.value}
        if (response := await self._call("remove_magnets", data)) is None:
            return self.async_abort(reason="not_done")
        return self._done("discarded", len(response["removed"]))

    async def _call(self, action: str, data: dict[str, str | bool]) -> dict[str, Any] | None:
        """Return the response of an action, or None if it failed."""
        try:
            response = await self.hass.services.async_call(
                DOMAIN, action, data, blocking=True, return_response=True
            )
        except HomeAssistantError:
            return None
        return response

    def _done(self, what: str, count: int) -> RepairsFlowResult:
        """Say what was done, with how many."""
        placeholders = {"count": str(count), "minutes": str(round(QUIET_SECONDS / 60))}
        return self.async_create_entry(
            data={},
            description=what if count else "empty",
            description_placeholders=placeholders,
        )


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
def _placeholders(flow: RepairsFlow) -> dict[str, str]:
    """Return what stands in the texts of the flow's issue."""
    issue = ir.async_get(flow.hass).async_get_issue(flow.handler, flow.issue_id)
    return dict((issue.translation_placeholders if issue else None) or {})


@callback
def _failures(hass: HomeAssistant) -> str:
    """Return a list, in Markdown, of the magnets that failed last, with their reasons."""
    entries: list[ResilientConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    lines = [
        f"- {names.markdown(names.of_magnet(item.magnet))}: "
        f"{async_reason_text(hass, entry.runtime_data.dispatcher.reason(item))}"
        for entry in entries
        for item in newest_failures(entry.runtime_data.dispatcher, NAMES)
    ]
    return "\n".join(lines) or "- ?"


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow of a fixable issue; most issues only have to be confirmed."""
    if issue_id == IssueKind.FAILED_MAGNETS:
        return HandleFailedMagnets()
    if issue_id == IssueKind.MAGNETS_KEPT:
        return HandleOrphans()
    if issue_id.startswith(IssueKind.QUEUE_UNREADABLE):
        return ConfirmDamage()
    if issue_id.startswith(f"{IssueKind.LEAKING}_"):
        return LeakMended(issue_id.removeprefix(f"{IssueKind.LEAKING}_"))
    return ConfirmRepairFlow()
