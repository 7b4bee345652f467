"""A websocket to Home Assistant that stays open, as the frontend has one."""

import asyncio
from collections.abc import Callable, Mapping
import contextlib
import itertools
import time
from typing import Any, Self

import aiohttp

from tests.support.harness.home_assistant import HomeAssistant

_ANSWER_SECONDS = 120
"""Longer than the longest wait that is measured."""

type Event = dict[str, Any]


class Wire:
    """Sends commands, and hears of changed states."""

    def __init__(self, home: HomeAssistant) -> None:
        """Talk to this Home Assistant."""
        self._home = home
        self._stack = contextlib.AsyncExitStack()
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._states: list[tuple[float, str, str]] = []
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Connect and log in."""
        session = await self._stack.enter_async_context(aiohttp.ClientSession())
        connecting = session.ws_connect(f"{self._home.url}/api/websocket", max_msg_size=0)
        self._socket = await self._stack.enter_async_context(connecting)
        await self._socket.receive_json()
        await self._socket.send_json({"type": "auth", "access_token": self._home.token})
        await self._socket.receive_json()
        self._listening = asyncio.create_task(self._listen())
        await self.command("subscribe_events", event_type="state_changed")
        return self

    async def __aexit__(self, *error: object) -> None:
        """Hang up."""
        self._listening.cancel()
        await self._stack.aclose()

    async def command(self, kind: str, **fields: Any) -> Any:
        """Run one command and return its result."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_json({"id": number, "type": kind, **fields})
            async with asyncio.timeout(_ANSWER_SECONDS):
                answer = await self._answers[number]
        finally:
            del self._answers[number]
        if not answer["success"]:
            raise RuntimeError(f"{kind}: {answer['error']}")
        return answer["result"]

    async def call(self, domain: str, action: str, data: Mapping[str, Any] = {}) -> Any:
        """Call an action that has a response, and return that."""
        result = await self._act(domain, action, data, respond=True)
        return result["response"]

    async def act(self, domain: str, action: str, data: Mapping[str, Any]) -> None:
        """Call an action that has none."""
        await self._act(domain, action, data, respond=False)

    async def _act(self, domain: str, action: str, data: Mapping[str, Any], respond: bool) -> Any:
        return await self.command(
            "call_service",
            domain=domain,
            service=action,
            service_data=data,
            return_response=respond,
        )

    async def changed_to(
        self, entity: str, right: Callable[[str], bool], since: float, seconds: float = 120
    ) -> float:
        """Wait for a state that an entity changes to after `since`; return when, in steady time."""
        async with asyncio.timeout(seconds):
            while True:
                for at, name, state in self._states:
                    if name == entity and at >= since and right(state):
                        return at
                self._changed.clear()
                await self._changed.wait()

    async def _listen(self) -> None:
        async for message in self._socket:
            content = message.json()
            if content["type"] == "event":
                self._note(content["event"])
            elif (waiting := self._answers.get(content["id"])) and not waiting.done():
                waiting.set_result(content)

    def _note(self, event: Event) -> None:
        if (state := event["data"]["new_state"]) is not None:
            entity = event["data"]["entity_id"]
            self._states.append((time.monotonic(), entity, state["state"]))
            self._changed.set()
