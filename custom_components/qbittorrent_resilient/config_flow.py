"""Set-up in the user interface: what to watch, then one qBittorrent server after another."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryData,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import CONF_NAME, CONF_USERNAME
from homeassistant.core import callback

from .const import (
    CONF_API_KEY,
    CONF_REQUIRES_VPN,
    CONF_VPN_TARGETS,
    DOMAIN,
    SUBENTRY_INSTANCE,
    TITLE,
)
from .forms import (
    TARGETS_SCHEMA,
    Errors,
    Fields,
    async_check_credentials,
    async_check_instance,
    async_check_targets,
    credentials_schema,
    instance_schema,
    next_priority,
    options_schema,
)
from .instance_flow import InstanceFlow
from .reauth import SUBENTRY_ID, async_accept_credentials, async_whom_to_ask
from .take_over import async_known_servers, async_taken_over


class ResilientConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up the one entry with its first instances, and change the VPN targets later."""

    VERSION = 1

    def __init__(self) -> None:
        """Start with nothing entered."""
        self._targets: list[str] = []
        self._instances: dict[str, Fields] = {}
        self._refused = ""

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the one kind of subentry."""
        return {SUBENTRY_INSTANCE: InstanceFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options flow."""
        return ResilientOptionsFlow()

    async def async_step_user(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Ask for the hosts that answer only while the VPN is up."""
        errors: Errors = {}
        if user_input is not None:
            self._targets, errors = await async_check_targets(user_input)
            if not errors:
                return await self.async_step_instance()
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(TARGETS_SCHEMA, user_input),
            errors=errors,
        )

    async def async_step_instance(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Ask for a qBittorrent server, and try it."""
        errors: Errors = {}
        if user_input is not None:
            entered = async_taken_over(self.hass, user_input)
            data, errors = await async_check_instance(
                self.hass,
                entered,
                vpn_watched=bool(self._targets),
                siblings=self._instances,
            )
            if not errors:
                self._instances[entered[CONF_NAME].strip()] = data
                return await self.async_step_more()
        schema = instance_schema(
            vpn_watched=bool(self._targets),
            next_priority=next_priority(self._instances.values()),
            known_servers=async_known_servers(self.hass, self._instances.values()),
        )
        return self.async_show_form(
            step_id="instance",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=errors,
        )

    async def async_step_more(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Ask whether there is another server."""
        return self.async_show_menu(
            step_id="more",
            menu_options=["instance", "finish"],
            description_placeholders={"instances": ", ".join(self._instances)},
        )

    async def async_step_finish(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Create the entry with an instance for each server."""
        return self.async_create_entry(
            title=TITLE,
            data={CONF_VPN_TARGETS: self._targets},
            subentries=[
                ConfigSubentryData(
                    data=data, subentry_type=SUBENTRY_INSTANCE, title=name, unique_id=None
                )
                for name, data in self._instances.items()
            ],
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin to ask for new credentials of the one instance that was refused."""
        asked_for = entry_data.get(SUBENTRY_ID)
        self._refused = asked_for or async_whom_to_ask(self._get_reauth_entry())
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Ask for the credentials, and try them."""
        entry = self._get_reauth_entry()
        if (subentry := entry.subentries.get(self._refused)) is None:
            return self.async_abort(reason="instance_removed")
        errors: Errors = {}
        if user_input is not None:
            data, errors = await async_check_credentials(self.hass, subentry, user_input)
            if not errors:
                async_accept_credentials(self.hass, entry, subentry, data)
                return self.async_abort(reason="reauth_successful")
        username = subentry.data.get(CONF_USERNAME, "")
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=self.add_suggested_values_to_schema(
                credentials_schema(by_key=bool(subentry.data.get(CONF_API_KEY))),
                {CONF_USERNAME: username} if user_input is None else user_input,
            ),
            description_placeholders={"name": subentry.title},
            errors=errors,
        )

    async def async_step_reconfigure(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Change what is watched."""
        entry = self._get_reconfigure_entry()
        errors: Errors = {}
        if user_input is not None:
            subentries = entry.get_subentries_of_type(SUBENTRY_INSTANCE)
            # One that does not say requires the VPN, where there is one.
            usual = {CONF_REQUIRES_VPN: bool(entry.data.get(CONF_VPN_TARGETS))}
            instances = ({**usual, **one.data} for one in subentries)
            targets, errors = await async_check_targets(user_input, instances)
            if not errors:
                return self.async_update_and_abort(entry, data_updates={CONF_VPN_TARGETS: targets})
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(
                TARGETS_SCHEMA, entry.data if user_input is None else user_input
            ),
            errors=errors,
        )


class ResilientOptionsFlow(OptionsFlow):
    """Change the pace and patience of the checks."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options on one page."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=options_schema(self.config_entry.options),
        )
