"""From "Add integration" to a dashboard with two servers that takes a pasted magnet, by clicks."""

import time

import pytest

from .first_run import add_and_use_dashboard, set_up
from .fixtures import House
from .user import User

pytestmark = pytest.mark.timeout(300)

SECONDS = 120
"""A person has five minutes, reads along and types; what the machines take must leave time."""


async def test_from_nothing_to_a_living_dashboard(house: House, user: User) -> None:
    began = time.monotonic()
    await set_up(house, user)
    await add_and_use_dashboard(house, user)
    took = time.monotonic() - began
    print(f"from nothing to a pasted magnet: {took:.0f} s")
    assert took < SECONDS
