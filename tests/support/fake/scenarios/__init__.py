"""What is asked of a real server and of the fake, so that their answers can be compared."""

from . import access, handling, telling, adding  # isort: skip  # tags of the last stay behind
from .registry import SCENARIOS, Scenario

__all__ = ["SCENARIOS", "Scenario", "access", "adding", "handling", "telling"]
