"""What each error of the client says of an instance."""

import pytest

from custom_components.qbittorrent_resilient.core.health.error_status import (
    STATUS_OF_ERROR,
    status_of,
)
from custom_components.qbittorrent_resilient.core.health.status import InstanceStatus
from custom_components.qbittorrent_resilient.core.qbittorrent import errors
from custom_components.qbittorrent_resilient.core.qbittorrent.errors import (
    AnswerTooLongError,
    ServerError,
)

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ServerError) and kind is not ServerError
]


@pytest.mark.parametrize("kind", KINDS)
def test_each_error_has_its_line_or_its_parents(kind: type[ServerError]) -> None:
    assert set(kind.__mro__) & STATUS_OF_ERROR.keys()
    assert status_of(kind("")) is not InstanceStatus.OK


def test_table() -> None:
    """No two errors share a status but `error`: delivery goes by the class, users by the status."""
    others = [one for one in STATUS_OF_ERROR.values() if one is not InstanceStatus.ERROR]
    assert len(set(others)) == len(others)
    not_met = set(InstanceStatus) - set(STATUS_OF_ERROR.values())
    assert not_met == {"ok", "disconnected", "not_saving"}


def test_children_and_the_base() -> None:
    class OddError(ServerError):
        """One that nobody has thought of."""

    assert status_of(AnswerTooLongError("")) is InstanceStatus.ERROR
    assert status_of(OddError("")) is InstanceStatus.ERROR
