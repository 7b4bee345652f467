"""Files that are put aside: kept as they are, under names of their own, and only once."""

import errno
import os
from pathlib import Path
from unittest.mock import patch

import pytest

from custom_components.qbittorrent_resilient.core.outbox.files import quarantine, quarantine_copy


@pytest.mark.parametrize("has_links", [True, False])
def test_copy(tmp_path: Path, has_links: bool) -> None:
    """It outlives that the file is replaced, and is private; a second look finds it again."""
    file = tmp_path / "que[u]e"
    file.write_text("damaged")
    file.chmod(0o600)
    refused = None if has_links else OSError(errno.EPERM, "no links here")
    with patch("os.link", wraps=os.link, side_effect=refused) as link:
        copy = quarantine_copy(file)
        assert quarantine_copy(file) == copy
    assert link.call_count == 1
    assert copy is not None
    assert copy.name.startswith("que[u]e.corrupt.")
    new = tmp_path / "new"
    new.write_text("in order")
    new.replace(file)
    assert (file.read_text(), copy.read_text()) == ("in order", "damaged")
    assert copy.stat().st_mode & 0o777 == 0o600
    other = quarantine_copy(file)
    assert other not in (None, copy)


def test_no_file(tmp_path: Path) -> None:
    assert quarantine(tmp_path / "queue") is None
    assert quarantine_copy(tmp_path / "queue") is None


def test_a_copy_that_breaks_off_is_gone(tmp_path: Path) -> None:
    """Set-up is tried again for as long as the disk is full: each try would leave another one."""
    file = tmp_path / "queue"
    file.write_text("damaged")
    full = OSError(errno.ENOSPC, "no room")
    with patch("os.link", side_effect=OSError(errno.EPERM, "no links here")):
        for _ in range(2):
            with patch("os.fsync", side_effect=full), pytest.raises(OSError, match="no room"):
                quarantine_copy(file)
            assert [one.name for one in tmp_path.iterdir()] == ["queue"]
        assert quarantine_copy(file) is not None
