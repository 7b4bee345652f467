"""What a user can ask of a running Home Assistant, over REST and websocket."""

from types import TracebackType
from typing import Any, Self

import aiohttp

from .home_assistant_flow import Flow

FLOWS = "/api/config/config_entries/flow"
OPTIONS_FLOWS = "/api/config/config_entries/options/flow"
SUBENTRY_FLOWS = "/api/config/config_entries/subentries/flow"


class ApiError(Exception):
    """Home Assistant refused; `code` and the text are what it said."""

    def __init__(self, code: str, text: str) -> None:
        """Keep what it said."""
        super().__init__(f"{code}: {text}")
        self.code = code


class Api:
    """A logged-in user. Use it as `async with Api(url, token) as api`."""

    def __init__(self, url: str, token: str = "", timeout: float = 120) -> None:
        """Remember where and as whom."""
        self.url, self.token = url, token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session = aiohttp.ClientSession(
            headers=headers, timeout=aiohttp.ClientTimeout(total=timeout)
        )

    async def __aenter__(self) -> Self:
        """Start a session."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the session."""
        await self.close()

    async def close(self) -> None:
        """End the session."""
        await self._session.close()

    async def get(self, path: str) -> Any:
        """GET something as JSON."""
        async with self._session.get(f"{self.url}{path}") as response:
            return await self._answer(response)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST JSON and return the answer."""
        async with self._session.post(f"{self.url}{path}", json=body) as response:
            return await self._answer(response)

    async def delete(self, path: str) -> Any:
        """DELETE something and return the answer."""
        async with self._session.delete(f"{self.url}{path}") as response:
            return await self._answer(response)

    async def post_form(self, path: str, form: dict[str, str]) -> Any:
        """POST a form and return the answer."""
        async with self._session.post(f"{self.url}{path}", data=form) as response:
            return await self._answer(response)

    @staticmethod
    async def _answer(response: aiohttp.ClientResponse) -> Any:
        """Return the JSON of a good answer."""
        if not response.ok:
            raise ApiError(str(response.status), (await response.text())[:500])
        return await response.json()

    async def command(self, kind: str, **fields: Any) -> Any:
        """Run one websocket command; each has a connection of its own, so calls can overlap."""
        async with self._session.ws_connect(f"{self.url}/api/websocket", max_msg_size=0) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self.token})
            if (hello := await socket.receive_json())["type"] != "auth_ok":
                raise ApiError("auth_failed", str(hello.get("message")))
            await socket.send_json({"id": 1, "type": kind, **fields})
            answer = await socket.receive_json()
        if not answer["success"]:
            raise ApiError(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    async def call_service(
        self,
        domain: str,
        service: str,
        data: dict[str, Any] | None = None,
        *,
        response: bool = True,
    ) -> Any:
        """Run an action and return its response, or None if none is asked for."""
        answer = await self.command(
            "call_service",
            domain=domain,
            service=service,
            service_data=data or {},
            return_response=response,
        )
        return answer.get("response")

    async def states(self) -> dict[str, dict[str, Any]]:
        """Return every state by entity id."""
        return {state["entity_id"]: state for state in await self.get("/api/states")}

    async def entries(self, domain: str) -> list[dict[str, Any]]:
        """Return the config entries of an integration."""
        entries: list[dict[str, Any]] = await self.command("config_entries/get", domain=domain)
        return entries

    async def subentries(self, entry_id: str) -> dict[str, str]:
        """Return the ids of an entry's subentries by title."""
        found = await self.command("config_entries/subentries/list", entry_id=entry_id)
        return {subentry["title"]: subentry["subentry_id"] for subentry in found}

    async def entity_ids(self, platform: str) -> dict[str, str]:
        """Return the entity ids of an integration by unique id."""
        found = await self.command("config/entity_registry/list")
        return {
            entity["unique_id"]: entity["entity_id"]
            for entity in found
            if entity["platform"] == platform
        }

    async def config_flow(self, domain: str, entry_id: str | None = None) -> Flow:
        """Start a config flow; with an entry, its reconfigure flow."""
        body = {"handler": domain, "show_advanced_options": False}
        if entry_id is not None:
            body["entry_id"] = entry_id
        return await self._flow(FLOWS, body)

    async def options_flow(self, entry_id: str) -> Flow:
        """Start the options flow of an entry."""
        return await self._flow(OPTIONS_FLOWS, {"handler": entry_id})

    async def subentry_flow(self, entry_id: str, kind: str, subentry_id: str | None = None) -> Flow:
        """Start a flow that adds a subentry, or reconfigures the given one."""
        body: dict[str, Any] = {"handler": [entry_id, kind]}
        if subentry_id is not None:
            body["subentry_id"] = subentry_id
        return await self._flow(SUBENTRY_FLOWS, body)

    async def _flow(self, path: str, body: dict[str, Any]) -> Flow:
        """Start a flow."""
        return Flow(self.post, path, await self.post(path, body))
