"""Set-up in the user interface: the VPN targets, then each qBittorrent server."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
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
    CONF_HOME_ADDRESS,
    CONF_REQUIRES_VPN,
    CONF_VPN_TARGETS,
    DOMAIN,
    MINOR_VERSION,
    SUBENTRY_INSTANCE,
    TITLE,
)
from .core import names
from .entry_settings import readable_data, readable_options
from .flows.core_import import async_known_servers, async_known_servers_text, async_taken_over
from .flows.credentials_form import async_check_credentials, credentials_schema
from .flows.forms import (
    Fields,
    checked_options,
    instance_schema,
    next_priority,
    options_schema,
    readable,
)
from .flows.home_entities import async_known_home_addresses, async_suggested_home_addresses
from .flows.instance_check import CheckedInstance, async_check_instance
from .flows.instance_flow import InstanceFlow
from .flows.reauth import SUBENTRY_ID, async_accept_credentials, async_whom_to_ask
from .flows.target_form import TARGETS_SCHEMA, CheckedTargets, async_check_targets
from .flows.target_trial import async_findings_text


class ResilientConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set up the only entry with its first instances, and change the VPN targets later."""

    VERSION, MINOR_VERSION = 1, MINOR_VERSION

    def __init__(self) -> None:
        """Start with nothing entered."""
        self._entered: Fields | None = None
        self._checked = CheckedTargets()
        self._instances: dict[str, Fields] = {}
        self._found = ""
        self._refused = ""

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(
        cls, config_entry: ConfigEntry
    ) -> dict[str, type[ConfigSubentryFlow]]:
        """Return the only type of subentry."""
        return {SUBENTRY_INSTANCE: InstanceFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the options flow."""
        return ResilientOptionsFlow()

    async def async_step_user(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Ask for the hosts that answer only while the VPN is up, and for the home's address."""
        return await self._async_ask_for_targets("user", user_input)

    async def async_step_reconfigure(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Change these."""
        return await self._async_ask_for_targets("reconfigure", user_input)

    async def _async_ask_for_targets(
        self, step: str, user_input: Fields | None
    ) -> ConfigFlowResult:
        stored = readable_data(self._get_reconfigure_entry()) if step == "reconfigure" else {}
        if user_input is not None:
            self._entered = user_input
            self._checked = await async_check_targets(self.hass, user_input, self._set_up)
            if self._checked.are_doubtful:
                return await self.async_step_targets()
            if not self._checked.errors:
                return await self.async_step_use_anyway()
        suggested = {CONF_HOME_ADDRESS: async_suggested_home_addresses(self.hass), **stored}
        return self.async_show_form(
            step_id=step,
            data_schema=self.add_suggested_values_to_schema(
                TARGETS_SCHEMA, suggested if self._entered is None else self._entered
            ),
            errors=self._checked.errors,
            description_placeholders={"known": await async_known_servers_text(self.hass)},
        )

    @property
    def _set_up(self) -> list[Fields]:
        """Return the fields of the instances that are set up already."""
        if self.source != SOURCE_RECONFIGURE:
            return []
        entry = self._get_reconfigure_entry()
        # An instance without this field requires the VPN, if that is watched.
        usual = {CONF_REQUIRES_VPN: bool(entry.data.get(CONF_VPN_TARGETS))}
        return [
            {**usual, **subentry.data}
            for subentry in entry.get_subentries_of_type(SUBENTRY_INSTANCE)
        ]

    async def async_step_targets(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Say what was seen of the targets, and ask whether to use them."""
        return self.async_show_menu(
            step_id="targets",
            menu_options=[
                "use_anyway",
                "reconfigure" if self.source == SOURCE_RECONFIGURE else "user",
            ],
            description_placeholders={
                "found": await async_findings_text(self.hass, self._checked.findings)
            },
        )

    async def async_step_use_anyway(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Take the targets as they were entered."""
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_reconfigure_entry(), data_updates=self._checked.data
            )
        return await self.async_step_instance()

    @property
    def _vpn_watched(self) -> bool:
        return bool(self._checked.data[CONF_VPN_TARGETS])

    async def async_step_instance(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Ask for a qBittorrent server, and test the connection."""
        checked = CheckedInstance()
        if user_input is not None:
            entered = async_taken_over(self.hass, user_input)
            checked = await async_check_instance(
                self.hass,
                entered,
                vpn_watched=self._vpn_watched,
                siblings=self._instances,
            )
            if not checked.errors:
                self._instances[names.shown(entered[CONF_NAME])] = checked.data
                self._found = checked.found
                return await self.async_step_more()
        schema = instance_schema(
            vpn_watched=self._vpn_watched,
            next_priority=next_priority(self._instances.values()),
            known_servers=async_known_servers(self.hass, self._instances.values()),
            entered=user_input,
        )
        return self.async_show_form(
            step_id="instance",
            data_schema=self.add_suggested_values_to_schema(schema, user_input),
            errors=checked.errors,
            description_placeholders=checked.placeholders,
        )

    async def async_step_more(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Ask whether there is another server."""
        return self.async_show_menu(
            step_id="more",
            menu_options=["instance", "finish"],
            description_placeholders={
                "instances": ", ".join(map(names.markdown, self._instances)),
                "found": self._found,
            },
        )

    async def async_step_finish(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Create the entry with an instance for each server."""
        return self.async_create_entry(
            title=TITLE,
            data=self._checked.data,
            subentries=[
                ConfigSubentryData(
                    data=data, subentry_type=SUBENTRY_INSTANCE, title=name, unique_id=None
                )
                for name, data in self._instances.items()
            ],
        )

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin to ask for new credentials of the instance that was refused."""
        asked_for = entry_data.get(SUBENTRY_ID)
        self._refused = asked_for or async_whom_to_ask(self._get_reauth_entry())
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: Fields | None = None) -> ConfigFlowResult:
        """Ask for the credentials, and test them."""
        entry = self._get_reauth_entry()
        if (subentry := entry.subentries.get(self._refused)) is None:
            return self.async_abort(reason="instance_removed")
        checked = CheckedInstance()
        if user_input is not None:
            checked = await async_check_credentials(self.hass, subentry, user_input)
            if not checked.errors:
                async_accept_credentials(self.hass, entry, subentry, checked.data)
                return self.async_abort(reason="reauth_successful")
        username = readable(subentry.data).get(CONF_USERNAME, "")
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=self.add_suggested_values_to_schema(
                credentials_schema(by_key=bool(subentry.data.get(CONF_API_KEY))),
                {CONF_USERNAME: username} if user_input is None else user_input,
            ),
            description_placeholders={
                "name": names.shown(subentry.title),
                **checked.placeholders,
            },
            errors=checked.errors,
        )


class ResilientOptionsFlow(OptionsFlow):
    """Change the pace and patience of the checks."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options on one page."""
        errors: dict[str, str] = {}
        options = readable_options(self.config_entry.options)
        if user_input is not None:
            options, errors = checked_options(user_input)
            if not errors:
                return self.async_create_entry(data=options)
        return self.async_show_form(
            step_id="init",
            data_schema=options_schema(options),
            errors=errors,
            description_placeholders={
                "found": await async_known_home_addresses(self.hass, self.config_entry)
            },
        )
