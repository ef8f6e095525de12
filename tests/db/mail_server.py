"""A mail server of the tests: speaks SMTP on a socket of this machine, keeps what it takes, and refuses what it is told to."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any


@dataclass
class MailServer:
    """What the server has taken, by recipient, and what it does not take.

    Attributes
    ----------
    refuses
        Recipients that do not exist.
    drops_after
        After how many mails it breaks the connection off; None for never.
    """

    port: int = 0
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    drops_after: int | None = None
    connections: int = 0


class _Talk(socketserver.StreamRequestHandler):
    """One conversation: RFC 5321, as little of it as a client needs."""

    def handle(self) -> None:
        server: MailServer = self.server.mail  # type: ignore[attr-defined]
        server.connections += 1
        recipients: list[str] = []
        self._say("220 test")
        while line := self.rfile.readline().decode("ascii").strip():
            verb, _, rest = line.partition(" ")
            if verb.upper() in ("EHLO", "HELO"):
                self._say("250 test")
            elif verb.upper() == "RCPT":
                address = rest.partition("<")[2].partition(">")[0]
                if address in server.refuses:
                    self._say("550 no such person")
                else:
                    recipients.append(address)
                    self._say("250 ok")
            elif verb.upper() == "DATA":
                if server.drops_after is not None and len(server.taken) >= server.drops_after:
                    return
                self._say("354 go on")
                lines = []
                while (raw := self.rfile.readline()) != b".\r\n":
                    lines.append(raw[1:] if raw.startswith(b"..") else raw)
                message: Any = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                server.taken += [(address, message) for address in recipients]
                recipients = []
                self._say("250 taken")
            elif verb.upper() == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Listening(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Listen on a free port until the block ends."""
    made = MailServer()
    with _Listening(("127.0.0.1", 0), _Talk) as listening:
        listening.mail = made  # type: ignore[attr-defined]
        made.port = listening.server_address[1]
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            listening.shutdown()
            thread.join()
