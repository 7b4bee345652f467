"""A small blocking client for the checks that a test makes itself, apart from the integration."""

import http.client
import json
import ssl
from typing import Any, cast
from urllib.parse import urlencode, urlsplit


class Client:
    """Asks one server; logs in when it has to, and keeps its session."""

    def __init__(
        self,
        url: str,
        username: str = "",
        password: str = "",
        api_key: str = "",
        timeout: float = 10,
    ) -> None:
        """Remember how to reach the server; nothing is sent yet."""
        parts = urlsplit(url)
        self._https = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._credentials = {"username": username, "password": password}
        self._api_key = api_key
        self._cookie = ""
        self.timeout = timeout

    def raw(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Send one request to /api/v2/PATH and return status and text."""
        connection = self._connection()
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        elif self._cookie:
            headers["Cookie"] = self._cookie
        try:
            body = urlencode(form) if form is not None else None
            connection.request(method, f"/api/v2/{path}", body=body, headers=headers)
            response = connection.getresponse()
            if cookie := response.getheader("Set-Cookie"):
                self._cookie = cookie.partition(";")[0]
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()

    def call(self, path: str, form: dict[str, str] | None = None) -> str:
        """Ask as a user who is logged in; a form makes it a POST."""
        method = "GET" if form is None else "POST"
        status, text = self.raw(method, path, form)
        if status == http.HTTPStatus.FORBIDDEN and not self._api_key:
            self._cookie = ""
            self.raw("POST", "auth/login", self._credentials)
            status, text = self.raw(method, path, form)
        if status >= http.HTTPStatus.BAD_REQUEST:
            msg = f"{path} was answered with {status} {text[:100]}"
            raise OSError(msg)
        return text

    def json(self, path: str, form: dict[str, str] | None = None) -> Any:
        """Ask for something that comes as JSON."""
        return json.loads(self.call(path, form))

    def torrents(self) -> list[dict[str, Any]]:
        """Return the torrents that the server lists."""
        return cast("list[dict[str, Any]]", self.json("torrents/info"))

    def _connection(self) -> http.client.HTTPConnection:
        """Open a connection of its own for each request, so that restarts do not matter."""
        if not self._https:
            return http.client.HTTPConnection(self._host, self._port, timeout=self.timeout)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self.timeout, context=context
        )
