"""The way out for notices: one mail server, spoken to over TLS, with a time limit on every word."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from firm.notices.template import one_line

TIMEOUT_SECONDS = 20
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PORTS = {"smtp": 587, "smtps": 465}


class NotNow(Exception):
    """The mail server cannot be reached, or asks to be tried later."""


class RefusedForGood(Exception):
    """The mail server will never take this message."""


@dataclass(frozen=True)
class Post:
    """A mail server by its address and who the messages are from.

    `smtps://` speaks TLS from the first byte; `smtp://` asks for it before anything is said, and goes without only to
    this very machine, where nobody listens in between.
    """

    url: str = field(repr=False)
    sender: str

    def send(self, identifier: str, to: str, subject: str, text: str, *, at: datetime) -> None:
        """Hand one message over. Raises `NotNow`, `RefusedForGood`."""
        try:
            message = self.message(identifier, to, subject, text, at=at)
        except (ValueError, HeaderParseError, IndexError) as error:
            raise RefusedForGood("the address is none") from error
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            [(code, answer)] = error.recipients.values()
            raise _told(code, answer) from error
        except smtplib.SMTPDataError as error:
            raise _told(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPNotSupportedError, UnicodeError) as error:
            raise RefusedForGood("the mail server does not take an address of this form") from error
        except (smtplib.SMTPException, OSError) as error:
            # A wrong password, or a sender whom the server does not know, is no fault of this message.
            raise NotNow(f"the mail server cannot be used ({type(error).__name__})") from error

    def message(self, identifier: str, to: str, subject: str, text: str, *, at: datetime) -> EmailMessage:
        """The message, the same at every try: what mail programs take for one even if it arrives twice."""
        name, address = parseaddr(self.sender)
        message = EmailMessage(policy=SMTP)
        message["Message-ID"] = f"<{identifier}@{address.rpartition('@')[2]}>"
        message["Date"] = format_datetime(at)
        message["From"] = Address(one_line(name), addr_spec=address)
        message["To"] = Address(addr_spec=to)
        message["Subject"] = one_line(subject)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        server = (
            smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
            if parts.scheme == "smtps"
            else smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
        )
        try:
            if parts.scheme == "smtp" and host not in _LOOPBACK:
                server.starttls(context=ssl.create_default_context())
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
        except smtplib.SMTPNotSupportedError as error:
            server.close()
            raise NotNow("the mail server offers no TLS, or no way to log in") from error
        except BaseException:
            server.close()
            raise
        return server


def _told(code: int, answer: bytes | str) -> NotNow | RefusedForGood:
    """What an answer of the server means: 4xx asks to come again, 5xx is final."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    sentence = f"{code} {one_line(text)}"[:400]
    return NotNow(sentence) if 400 <= code < 500 else RefusedForGood(sentence)
