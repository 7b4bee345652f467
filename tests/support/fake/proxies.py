"""What may stand in front of a server: a proxy that wants a login of its own, or headers."""

import base64
from collections.abc import Callable, Mapping

from multidict import CIMultiDict

from .answer import Answer
from .record import Received

type InFront = Callable[[Received], Answer | None]

PAGE = b"<!DOCTYPE html><html><head><title>401 Authorization Required</title></head></html>"


def basic(username: str, password: str, *, passes_on: bool = False) -> InFront:
    """Return a proxy that wants a login by HTTP Basic; some pass it on to the server behind it."""
    right = f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"

    def check(received: Received) -> Answer | None:
        if received.headers.get("Authorization") != right:
            challenge = {"WWW-Authenticate": 'Basic realm="Restricted"'}
            return Answer(401, PAGE, "text/html", challenge)
        if not passes_on:
            headers = CIMultiDict(received.headers)
            del headers["Authorization"]
            received.headers = headers
        return None

    return check


def wants(headers: Mapping[str, str], refusal: Answer) -> InFront:
    """Return a proxy that wants these headers, and answers `refusal` to a request without them."""

    def check(received: Received) -> Answer | None:
        right = all(received.headers.get(name) == value for name, value in headers.items())
        return None if right else refusal

    return check
