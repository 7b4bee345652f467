"""The flow that adds or changes an instance."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import CONF_NAME

from ..const import CONF_DEFAULTS, CONF_GLUETUN, CONF_PROXY, CONF_VPN_TARGETS, SUBENTRY_INSTANCE
from ..core import names
from ..login_memory import async_forget_login
from .core_import import async_known_servers, async_taken_over
from .forms import Fields, instance_schema, next_priority, readable
from .instance_check import CheckedInstance, async_check_instance
from .stored_secrets import without_secrets

_SECTIONS = (CONF_PROXY, CONF_GLUETUN, CONF_DEFAULTS)


class InstanceFlow(ConfigSubentryFlow):
    """Add or change one qBittorrent server."""

    async def async_step_user(self, user_input: Fields | None = None) -> SubentryFlowResult:
        """Ask for a server, and test the connection."""
        checked = CheckedInstance()
        if user_input is not None:
            entered = async_taken_over(self.hass, user_input)
            checked = await self._async_check(entered)
            if not checked.errors:
                return self.async_create_entry(
                    title=names.shown(entered[CONF_NAME]),
                    data=checked.data,
                    description="found" if checked.found else None,
                    description_placeholders={"found": checked.found},
                )
        return self._show("user", user_input, checked)

    async def async_step_reconfigure(self, user_input: Fields | None = None) -> SubentryFlowResult:
        """Change a server, and test the connection with what was entered."""
        subentry = self._get_reconfigure_subentry()
        checked = CheckedInstance()
        stored = readable(subentry.data)
        if user_input is not None:
            checked = await self._async_check(user_input, stored, own=subentry.subentry_id)
            if not checked.errors:
                data = checked.data
                entry, title = self._get_entry(), names.shown(user_input[CONF_NAME])
                async_forget_login(self.hass, subentry.subentry_id)
                if (title, data) == (subentry.title, dict(subentry.data)):
                    # Without a change no listener is called, but a refused login works now.
                    self.hass.config_entries.async_schedule_reload(entry.entry_id)
                self.hass.config_entries.async_update_subentry(
                    entry, subentry, title=title, data=data
                )
                return self.async_abort(
                    reason="reconfigure_successful",
                    description_placeholders={"found": checked.found},
                )
        shown = {CONF_NAME: names.shown(subentry.title), **without_secrets(stored)}
        if user_input is not None:
            sections = {part: shown[part] for part in _SECTIONS if part in shown}
            shown = sections | user_input
        return self._show("reconfigure", shown, checked, stored=stored)

    async def _async_check(
        self, user_input: Fields, stored: Fields | None = None, own: str | None = None
    ) -> CheckedInstance:
        return await async_check_instance(
            self.hass,
            user_input,
            vpn_watched=self._vpn_watched,
            stored=stored,
            siblings={
                names.shown(subentry.title) or subentry.subentry_id: subentry.data
                for subentry in self._get_entry().get_subentries_of_type(SUBENTRY_INSTANCE)
                if subentry.subentry_id != own
            },
        )

    @property
    def _vpn_watched(self) -> bool:
        return bool(self._get_entry().data.get(CONF_VPN_TARGETS))

    def _show(
        self,
        step: str,
        shown: Fields | None,
        checked: CheckedInstance,
        stored: Mapping[str, Any] | None = None,
    ) -> SubentryFlowResult:
        siblings = [
            subentry.data
            for subentry in self._get_entry().get_subentries_of_type(SUBENTRY_INSTANCE)
        ]
        known = async_known_servers(self.hass, siblings) if step == "user" else []
        schema = instance_schema(
            vpn_watched=self._vpn_watched,
            next_priority=next_priority(siblings),
            known_servers=known,
            stored=stored,
            entered=shown,
        )
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=checked.errors,
            description_placeholders=checked.placeholders,
        )
