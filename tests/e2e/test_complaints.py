"""What goes wrong in a page fails the test of whoever sits in front of it."""

import pytest

from .fixtures import House, SitDown


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param("console.error('a fault')", "console: a fault", id="console"),
        pytest.param("setTimeout(() => { throw Error('a slip') })", "script: a slip", id="script"),
        pytest.param(
            "fetch('/api/qbittorrent_resilient/nothing')", "answered with 404", id="request"
        ),
        pytest.param(
            "fetch('/api/brands/integration/qbittorrent_resilient/none.png')",
            "request:",
            id="picture of ours",
        ),
    ],
)
async def test_it_is_told(house: House, sit_down: SitDown, script: str, expected: str) -> None:
    async def slip() -> None:
        async with sit_down() as user:
            await user.page.evaluate(f"async () => {{ await {script}; }}")
            await user.page.wait_for_load_state("networkidle")

    with pytest.raises(AssertionError, match=expected):
        await slip()
