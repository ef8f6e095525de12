"""A browser's part in the conversation: a session, a token, and a record of every question asked."""

from __future__ import annotations

import gzip
import http.client
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where nothing did, so that nobody knows whether it was done."""

    status: int
    body: dict[str, Any]
    etag: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def is_unsettled(self) -> bool:
        """Whether the service was not there, or fell over."""
        return self.status == 0 or self.status >= 500

    @property
    def code(self) -> str:
        """What the problem is called."""
        return str(self.body.get("code", ""))


@dataclass(slots=True)
class Client:
    """One signed-in person; each question has a connection of its own, as after a pause for thought."""

    address: tuple[str, int]
    user: str
    session: str
    records: list[dict[str, Any]] = field(default_factory=list)
    token: str = field(default_factory=lambda: secrets.token_hex(16))

    def ask(
        self,
        what: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: int | None = None,
        etag: str = "",
        **more: Any,
    ) -> Answer:
        """Ask, and record how long it took and what came back, with whatever else is told in ``more``."""
        headers = {
            "Cookie": f"sessionid={self.session}; csrftoken={self.token}",
            "X-CSRFToken": self.token,
            "Accept-Encoding": "gzip",
        }
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        if etag:
            headers["If-None-Match"] = etag
        begun = time.monotonic()
        answer = self._answered(method, path, content, headers)
        self.records.append(
            {
                "what": what,
                "user": self.user,
                "at": begun,
                "ms": (time.monotonic() - begun) * 1000,
                "status": answer.status,
                "code": answer.code,
                "title": "" if answer.is_ok else str(answer.body.get("title", ""))[:300],
                "set": answer.body.get("id"),
                "version": answer.body.get("version"),
                **more,
            }
        )
        return answer

    def _answered(self, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(*self.address, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            told = response.read()
        except (OSError, http.client.HTTPException):
            return Answer(0, {})
        finally:
            connection.close()
        if response.headers.get("Content-Encoding") == "gzip":
            told = gzip.decompress(told)
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status, json.loads(told) if is_json else {}, response.headers.get("ETag", ""))
