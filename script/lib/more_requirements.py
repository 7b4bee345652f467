"""Print what must be installed beside Home Assistant so that it starts as it is.

Home Assistant installs the requirements of an integration when it first sets it up.
Installed beforehand, it starts at once and without a connection. This prints the
requirements of the integrations that always run, of those in the development
configuration and of all they depend on. It adds what the test plugin needs, but for
the exact versions of packages that Home Assistant pins itself.
"""

from importlib.metadata import requires
import json
from pathlib import Path
import re

from homeassistant import bootstrap, components
from homeassistant.auth.mfa_modules import totp

PLUGIN = "pytest-homeassistant-custom-component"

# Beyond the integrations that always run: those of config/configuration.yaml, see
# script/develop, those that others ask for while Home Assistant runs, and those that the
# benchmark measures beside, and the one whose feeds the blueprint reads.
MORE_INTEGRATIONS = {
    "config",
    "feedreader",
    "hassio",
    "history",
    "isal",
    "logbook",
    "media_source",
    "my",
    "onboarding",
    "ping",
    "qbittorrent",
    "recorder",
    "ssdp",
    "system_log",
    "transmission",
    "zeroconf",
}


def canonical(requirement: str) -> str:
    """Return the name of the package in the form that compares."""
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def of_integrations() -> set[str]:
    """Return the requirements of the integrations and of all they depend on."""
    folder = Path(components.__file__).parent
    found: set[str] = set()
    seen: set[str] = set()
    left = bootstrap.CORE_INTEGRATIONS | bootstrap.DEFAULT_INTEGRATIONS | MORE_INTEGRATIONS
    while left:
        domain = left.pop()
        seen.add(domain)
        manifest = json.loads((folder / domain / "manifest.json").read_text(encoding="utf-8"))
        found.update(manifest.get("requirements", ()))
        left |= set(manifest.get("dependencies", ())) - seen
    return found


def of_plugin(others: set[str]) -> set[str]:
    """Return the requirements of the test plugin, Home Assistant itself left out."""
    pinned = {canonical(item) for item in (*others, *(requires("homeassistant") or ()))}
    constraints = Path(components.__file__).parents[1] / "package_constraints.txt"
    pinned |= {
        canonical(line)
        for line in constraints.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    return {
        canonical(requirement) if canonical(requirement) in pinned else requirement
        for requirement in requires(PLUGIN) or ()
        if canonical(requirement) != "homeassistant"
    }


if __name__ == "__main__":
    home_assistant = of_integrations() | set(totp.REQUIREMENTS)
    print("\n".join(sorted(home_assistant | of_plugin(home_assistant))))
