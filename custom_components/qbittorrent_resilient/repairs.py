"""What happens when the user confirms an issue."""

from collections import Counter
from typing import override

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from . import troubles
from .const import DOMAIN
from .coordinator import ResilientConfigEntry
from .core.entry import Stage
from .core.errors import StorageError
from .issues import KEPT
from .kept import KeptMagnets
from .words import async_in_words


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
        said = issue.translation_placeholders if issue else None
        return self.async_show_menu(
            step_id="init",
            menu_options=["retry", "discard"],
            description_placeholders={**(said or {}), "reasons": _reasons(self.hass)},
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


@callback
def _reasons(hass: HomeAssistant) -> str:
    """Return how many magnets failed for which reason."""
    entries: list[ResilientConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    found = Counter(
        magnet.reason
        for entry in entries
        for magnet in entry.runtime_data.courier.queue.at(Stage.FAILED)
        if magnet.reason
    )
    told = (f"{count} × {async_in_words(hass, one)}" for one, count in found.most_common())
    return ", ".join(told) or "?"


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow of an issue; most only want to be confirmed."""
    if issue_id == troubles.FAILED:
        return FailedMagnets()
    return DiscardKept() if issue_id == KEPT else ConfirmRepairFlow()
