"""A client for the Web API of qBittorrent 4.5 to 5.3.

It needs no other part of this project, which a test checks: its errors are in errors.py, what
callers pass to it is in models.py.

client.py       the requests to a server, one method each
connection.py   the session: opened, renewed, and given up if no login can help
exchange.py     the HTTP exchange that every request goes through, after asking the gate
dialect.py      what each answer means: all differences between versions of qBittorrent
log.py          what its log tells, in whatever language
network.py      how it is bound to the network
"""

from .client import Client, fitting
from .connection import Connection
from .dialect import AddAnswer
from .exchange import Request
from .form import TorrentPart
from .network import Binding
from .vitals import Vitals

__all__ = [
    "AddAnswer",
    "Binding",
    "Client",
    "Connection",
    "Request",
    "TorrentPart",
    "Vitals",
    "fitting",
]
