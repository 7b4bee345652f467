"""Adding and changing an instance of the set-up entry."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_NAME

from .const import CONF_DEFAULTS, CONF_VPN_TARGETS, SUBENTRY_INSTANCE
from .forms import Errors, Fields, async_check_instance, instance_schema, next_priority
from .log_ins import async_forget_log_ins
from .take_over import async_known_servers, async_taken_over


class InstanceFlow(ConfigSubentryFlow):
    """Add or change one qBittorrent server."""

    async def async_step_user(self, user_input: Fields | None = None) -> SubentryFlowResult:
        """Ask for a server, and try it."""
        errors: Errors = {}
        if user_input is not None:
            entered = async_taken_over(self.hass, user_input)
            data, errors = await self._async_check(entered)
            if not errors:
                return self.async_create_entry(title=entered[CONF_NAME].strip(), data=data)
        return self._show("user", user_input, errors)

    async def async_step_reconfigure(self, user_input: Fields | None = None) -> SubentryFlowResult:
        """Change a server, and try it with what was entered."""
        subentry = self._get_reconfigure_subentry()
        errors: Errors = {}
        if user_input is not None:
            user_input.setdefault(CONF_DEFAULTS, subentry.data.get(CONF_DEFAULTS))
            data, errors = await self._async_check(user_input, own=subentry.subentry_id)
            if not errors:
                entry, title = self._get_entry(), user_input[CONF_NAME].strip()
                async_forget_log_ins(self.hass, subentry.subentry_id)
                if (title, data) == (subentry.title, dict(subentry.data)):
                    # No change, so no listener is called; but a log-in that was refused holds now.
                    self.hass.config_entries.async_schedule_reload(entry.entry_id)
                return self.async_update_and_abort(entry, subentry, title=title, data=data)
        shown = user_input or {CONF_NAME: subentry.title, **subentry.data}
        return self._show("reconfigure", shown, errors, stored=subentry.data)

    async def _async_check(
        self, user_input: Fields, own: str | None = None
    ) -> tuple[Fields, Errors]:
        return await async_check_instance(
            self.hass,
            user_input,
            vpn_watched=self._vpn_watched,
            siblings={
                one.title: one.data
                for one in self._get_entry().get_subentries_of_type(SUBENTRY_INSTANCE)
                if one.subentry_id != own
            },
        )

    @property
    def _vpn_watched(self) -> bool:
        return bool(self._get_entry().data.get(CONF_VPN_TARGETS))

    def _show(
        self,
        step: str,
        shown: Fields | None,
        errors: Errors,
        stored: Mapping[str, Any] | None = None,
    ) -> SubentryFlowResult:
        siblings = [one.data for one in self._get_entry().get_subentries_of_type(SUBENTRY_INSTANCE)]
        known = async_known_servers(self.hass, siblings) if step == "user" else []
        schema = instance_schema(
            vpn_watched=self._vpn_watched,
            next_priority=next_priority(siblings),
            known_servers=known,
            stored=stored,
        )
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=errors,
        )
