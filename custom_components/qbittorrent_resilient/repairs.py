"""What happens when the user confirms an issue."""

from typing import override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from . import troubles
from .const import DOMAIN
from .core.entry import Stage
from .core.errors import StorageError
from .issues import KEPT
from .kept import KeptMagnets


class DiscardKept(ConfirmRepairFlow):
    """Deletes the magnets that outlived their entry."""

    @override
    async def async_step_confirm(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Ask, then delete."""
        if user_input is not None:
            try:
                await KeptMagnets(self.hass).discard()
            except StorageError:
                return self.async_abort(reason="not_deleted")
        return await super().async_step_confirm(user_input)


class FailedMagnets(RepairsFlow):
    """Has the failed magnets tried again, or forgets them."""

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask which."""
        issue = ir.async_get(self.hass).async_get_issue(self.handler, self.issue_id)
        return self.async_show_menu(
            step_id="init",
            menu_options=["retry", "discard"],
            description_placeholders=issue.translation_placeholders if issue else None,
        )

    async def async_step_retry(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Move them back to the queue."""
        return await self._call("retry_failed", {"all": True})

    async def async_step_discard(
        self, user_input: dict[str, str] | None = None
    ) -> RepairsFlowResult:
        """Take them off the failed list."""
        return await self._call("remove_magnets", {"all": True, "list": Stage.FAILED.value})

    async def _call(self, action: str, data: dict[str, str | bool]) -> RepairsFlowResult:
        try:
            await self.hass.services.async_call(DOMAIN, action, data, blocking=True)
        except HomeAssistantError:
            return self.async_abort(reason="not_done")
        return self.async_create_entry(data={})


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow of an issue; most only want to be confirmed."""
    if issue_id == troubles.FAILED:
        return FailedMagnets()
    return DiscardKept() if issue_id == KEPT else ConfirmRepairFlow()
