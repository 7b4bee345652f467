"""What becomes of a job whose magnet is given again."""

from copy import replace

from ..magnet import Magnet
from .job import Job, Stage


def resubmitted(old: Job, new: Job) -> Job:
    """Return the job for a magnet that is in the outbox (`old`) and is added again (`new`).

    Even if everything else starts again, it stays known which instances may have the magnet, and
    its torrent file is kept. What is only remembered has left nothing to know: `new` is new.
    """
    if old.stage is Stage.DELIVERED:
        return new
    file = new.file or old.file
    if old.stage is Stage.QUEUED:
        return replace(
            old,
            magnet=_fuller(old.magnet, new.magnet) if new.file else old.magnet,
            file=file,
            options=new.options,
            require_vpn=new.require_vpn,
            instances=new.instances,
            max_retries=new.max_retries,
            keep=old.keep or new.keep,
        )
    same_key = new.info_hash == old.info_hash
    crash = old.crash and old.crash.retried()
    merged = replace(
        new if same_key else replace(new, magnet=old.magnet),
        suspects=old.suspects,
        crash=crash,
        losses=old.losses,
        file=file,
        ordinal=old.ordinal,
    )
    if old.stage in (Stage.FAILED, Stage.DUPLICATE_CHECK):
        return merged
    return replace(
        merged,
        sent_to=old.sent_to,
        sent_at=old.sent_at,
        ordinal=None if old.ordinal is None else 0,  # added again counts again
        crash=old.crash,
        unsaved=old.unsaved,
    )


def _fuller(old: Magnet, new: Magnet) -> Magnet:
    """Return the new magnet of a torrent if it has all hashes that the old one has, and the key."""
    same_key = old.info_hash == new.info_hash
    return new if same_key and (new.v2 or not old.v2) else old
