"""The values that the parts of the engine share."""

import pytest

from custom_components.qbittorrent_resilient.core.health.settings import InstanceSettings
from custom_components.qbittorrent_resilient.core.qbittorrent.models import AddOptions

DEFAULTS = AddOptions(category="films", save_path="/data", tags=("a",), stopped=True)


@pytest.mark.parametrize(
    ("given", "result"),
    [
        (AddOptions(), DEFAULTS),
        (AddOptions(category=""), AddOptions("", "/data", ("a",), stopped=True)),
        (AddOptions(save_path="/x"), AddOptions("films", "/x", ("a",), stopped=True)),
        (AddOptions(tags=()), AddOptions("films", "/data", (), stopped=True)),
        (AddOptions(stopped=False), AddOptions("films", "/data", ("a",), stopped=False)),
        (
            AddOptions(automatic_management=True),
            AddOptions("films", None, ("a",), stopped=True, automatic_management=True),
        ),
        (
            AddOptions(save_path="/x", automatic_management=True),
            AddOptions("films", None, ("a",), stopped=True, automatic_management=True),
        ),
        (
            AddOptions(automatic_management=False, sequential=True, first_last_piece_first=False),
            AddOptions("films", "/data", ("a",), True, False, True, False),
        ),
    ],
)
def test_options_over_defaults(given: AddOptions, result: AddOptions) -> None:
    """What is given counts, also where it is empty."""
    assert given.over(DEFAULTS) == result


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"name": "other", "priority": 2, "requires_vpn": True, "defaults": DEFAULTS}, True),
        ({"url": "http://other"}, False),
        ({"username": "other"}, False),
        ({"password": "other"}, False),
        ({"api_key": "other"}, False),
    ],
)
def test_credentials(change: dict[str, object], same: bool) -> None:
    """A refusal ends when one of them changes."""
    fields = {"key": "k", "name": "n", "url": "http://host", "username": "u", "password": "p"}
    first = InstanceSettings(**fields)  # type: ignore[arg-type]
    second = InstanceSettings(**fields | change)  # type: ignore[arg-type]
    assert (first.credentials == second.credentials) is same


def test_secrets_are_not_printed() -> None:
    settings = InstanceSettings(
        key="k", name="n", url="u", username="canary", password="canary", api_key="canary"
    )
    assert "canary" not in f"{settings} {settings!r}"
