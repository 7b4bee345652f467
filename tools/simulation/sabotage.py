"""The core with one safeguard taken out: some life has to notice, or the oracle proves nothing."""

from collections.abc import Mapping

from tools.soak.sabotage import SABOTAGES as OF_THE_SOAK, Sabotage

SABOTAGES: Mapping[str, Sabotage] = OF_THE_SOAK | {
    "unsaved_is_forgotten": Sabotage(
        "2: what could not be saved counts as saved after a minute",
        "core/reconciliation/settling.py",
        "job.unsaved or may_fail_unsaid or monitor.save_failed_wall >= job.sent_at",
        "False",
    ),
    "duplicates_unsaid": Sabotage(
        "3: nobody is told what a second server has",
        "core/reconciliation/duplicates.py",
        "            duplicates.append(job)\n",
        "            pass\n",
    ),
    "kept_is_dropped": Sabotage(
        "2: what turns out not to have been saved is not delivered again",
        "core/reconciliation/keeping.py",
        "                lost.append(job)\n",
        "                complete(self._outbox, job)\n",
    ),
    "delivered_is_forgotten": Sabotage(
        "3: nothing that was delivered is remembered",
        "core/reconciliation/settling.py",
        "    elif outbox.remember_seconds:\n",
        "    elif False:\n",
    ),
    "names_are_forgotten": Sabotage(
        "4: for which instances a magnet was given is not stored",
        "core/outbox/record.py",
        '    "instances": _TEXTS,\n',
        "",
    ),
    "links_are_forgotten": Sabotage(
        "1: the web links that waited are not read at start",
        "core/fetching/links.py",
        "        await self._outbox.load()\n        for job",
        "        for job",
    ),
    "vpn_not_asked": Sabotage(
        "4: magnets are sent without asking for the VPN",
        "core/health/instance_gate.py",
        "        if content is not Content.MAGNETS:\n            return\n",
        "        return\n",
    ),
    "no_look_before": Sabotage(
        "4: magnets are sent without a look whether the server leaks",
        "core/health/instance_gate.py",
        "            await instance.look(LOOK_SECONDS)\n",
        "",
    ),
    "wish_ignored": Sabotage(
        "4: what is given for the VPN only goes anywhere",
        "core/delivery/failover.py",
        "return settings.requires_vpn or not job.require_vpn",
        "return True",
    ),
    "never_drained": Sabotage(
        "5: the queue is not delivered when a server is well again",
        "core/worker.py",
        "if is_busy or not",
        "if True or not",
    ),
    "refused_again": Sabotage(
        "6: refused credentials are tried again at each poll",
        "core/qbittorrent/login_guard.py",
        "        self.refused = True\n",
        "",
    ),
    "secret_logged": Sabotage(
        "7: a password is in the debug log",
        "core/health/instance.py",
        '_LOGGER.debug("%s met %s: %s", self.settings.name,',
        '_LOGGER.debug("%s met %s: %s", self.settings.password,',
    ),
    "two_in_one_line": Sabotage(
        "8: links reach the server in a line that is no magnet",
        "core/qbittorrent/dialect.py",
        '"\\n".join(',
        '" ".join(',
    ),
    "start_waits": Sabotage(
        "9: a start waits for the servers",
        "core/dispatcher.py",
        "        await self._outbox.load()\n",
        "        await self._outbox.load()\n"
        "        await asyncio.gather(*(one.check() for one in self._pool))\n",
    ),
    "stop_waits": Sabotage(
        "9: a stop waits for what is under way",
        "core/dispatcher.py",
        "        await self._deliverer.stop()\n",
        "        async with asyncio.timeout(5):\n"
        "            while self._deliverer.busy:\n"
        "                await asyncio.sleep(0.1)\n"
        "        await self._deliverer.stop()\n",
    ),
}
"""With the number of the promise in front where it is the simulation's own."""
