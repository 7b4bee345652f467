"""What Home Assistant's `Store` raises where it cannot read a file, or finds other JSON in it."""

from homeassistant.exceptions import HomeAssistantError

UNREADABLE = (
    *(HomeAssistantError, OSError, NotImplementedError),
    *(ValueError, LookupError, TypeError, AttributeError),  # JSON of another form
)
