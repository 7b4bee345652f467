"""Let the test plugin for Home Assistant 2026.10 run on 2026.11.

pytest-homeassistant-custom-component 0.13.375 was made for 2026.10.4. Two things moved
since. Load this before it: python -m pytest -p tests.support.plugins.ha_2026_11.
It can go when a build for 2026.11 is out.
"""

from homeassistant.components import logger
from homeassistant.components.logger import helpers

# 2026.11 puts a module of its own in the place of httpx, which only works before the
# test plugin imports httpx.
import homeassistant.const  # noqa: F401

# The test plugin imports this private function from where it was.
logger._clear_logger_overwrites = helpers._clear_logger_overwrites
