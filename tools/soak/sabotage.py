"""The integration with one safeguard taken out: the soak has to notice, or it proves nothing."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = "qbittorrent_resilient"


class SabotageError(Exception):
    """The source is not what it was: the sabotage has to be written anew."""


@dataclass(frozen=True)
class Sabotage:
    """One text of one source file, and what to put in its place."""

    why: str
    file: str
    old: str
    new: str

    def spoil(self, components: Path) -> None:
        """Change the copy of the integration in this folder."""
        path = components / FOLDER / self.file
        path.write_text(self.spoilt(path.read_text(encoding="utf-8")), encoding="utf-8")

    def spoilt(self, source: str) -> str:
        """Return the source with the safeguard taken out; raises SabotageError."""
        if (found := source.count(self.old)) != 1:
            msg = f"{self.file} has {found} times what is to be replaced: {self.old}"
            raise SabotageError(msg)
        return source.replace(self.old, self.new)


SABOTAGES = {
    "no_waiting": Sabotage(
        "what an instance may have goes on to the next at once, though the first cannot be asked",
        "core/delivery/delivery_pass.py",
        "job.sent_at <= limit:",
        "True:",
    ),
    "lost_is_dropped": Sabotage(
        "what an instance lost in a restart is taken out of the outbox",
        "core/reconciliation/settling.py",
        "outbox.put(requeued)",
        "outbox.drop(job.info_hash)",
    ),
    "settled_at_once": Sabotage(
        "what an instance lists is taken out of the outbox at once",
        "core/delivery/pass_state.py",
        "self._outbox.put(delivered)",
        "self._outbox.drop(info_hash)",
    ),
    "every_other_write": Sabotage(
        "every other write of the outbox is skipped, and said to be done",
        "core/outbox/outbox.py",
        "                await self._store.commit(put, changed.keys() - put.keys())\n",
        "                self._even = not getattr(self, '_even', False)\n"
        "                if self._even:\n"
        "                    await self._store.commit(put, changed.keys() - put.keys())\n",
    ),
    "no_intent": Sabotage(
        "where a magnet is about to be sent is not on disk before it is",
        "core/outbox/record.py",
        '    "sent_to": _TEXT,\n',
        "",
    ),
    "queue_ignored": Sabotage(
        "the stored queue is not read at start",
        "core/outbox/outbox.py",
        "cooperatively(records.items())",
        "cooperatively([])",
    ),
    "no_look": Sabotage(
        "no instance is found to have anything before it is sent",
        "core/delivery/survey.py",
        "return await monitor.client.find([job.magnet for job in jobs])",
        "return set()",
    ),
}
