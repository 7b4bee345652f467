"""Where a gluetun's control server is, and what it wants to see."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class GluetunSettings:
    """The control server of one gluetun; `url` is as `url.normalise_url` returns it.

    An API key, or user name and password, go with every request where they are set.
    """

    url: str
    api_key: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
