"""Walks a config flow as the frontend does: one form or menu after the other."""

from collections.abc import Awaitable, Callable
from typing import Any

type Post = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


class FlowError(Exception):
    """A flow went elsewhere than expected; the text says where."""


def prefilled(schema: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a form holds before the user touches it, sections included."""
    values: dict[str, Any] = {}
    for field in schema:
        suggested = (field.get("description") or {}).get("suggested_value")
        if field.get("type") == "expandable":
            values[field["name"]] = prefilled(field["schema"])
        elif suggested is not None:
            values[field["name"]] = suggested
        elif "default" in field:
            values[field["name"]] = field["default"]
    return values


class Flow:
    """One flow in progress; `result` is Home Assistant's last answer."""

    def __init__(self, post: Post, path: str, result: dict[str, Any]) -> None:
        """Take over a flow that has just been started."""
        self._post, self._path = post, path
        self.result = result

    @property
    def kind(self) -> str:
        """Return form, menu, create_entry or abort."""
        return str(self.result["type"])

    @property
    def step(self) -> str | None:
        """Return the id of the step that waits for input."""
        return self.result.get("step_id")

    @property
    def errors(self) -> dict[str, str]:
        """Return the errors of the form."""
        return self.result.get("errors") or {}

    @property
    def form(self) -> dict[str, Any]:
        """Return what the form holds as it is shown."""
        return prefilled(self.result.get("data_schema") or [])

    async def submit(self, **values: Any) -> Flow:
        """Fill in a form, keeping what it holds where nothing is given, and send it."""
        return await self._send(self.form | values)

    async def choose(self, step: str) -> Flow:
        """Choose from a menu."""
        return await self._send({"next_step_id": step})

    async def watch(self, *targets: str) -> Flow:
        """Fill in VPN targets, and use them even where one does not answer."""
        await self.submit(vpn_targets=list(targets))
        if (self.kind, self.step) == ("menu", "targets"):
            await self.choose("use_anyway")
        return self

    def expect(self, kind: str, step: str | None = None) -> Flow:
        """Raise FlowError if this is not where the flow should be."""
        if self.kind != kind or self.step != step or self.errors:
            where = self.result.get("reason") or self.step
            msg = f"expected {kind} {step or ''}, got {self.kind} {where} with {self.errors}"
            raise FlowError(msg)
        return self

    async def _send(self, body: dict[str, Any]) -> Flow:
        """Send one step."""
        self.result = await self._post(f"{self._path}/{self.result['flow_id']}", body)
        return self
