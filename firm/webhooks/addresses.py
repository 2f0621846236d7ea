"""Which addresses messages may leave for. Whoever names a URL must not make us talk to our own network.

The same rules are asked when an endpoint is saved and each time before connecting, then about the very address that is
connected to. Every refusal reads the same, so that nobody learns from it what is reachable from here.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from firm.errors import Invalid

MOST_URL = 1000
_VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))+", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_OWN_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion")

_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"),)
"""NAT64: the IPv4 address behind it counts."""

_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # a cloud's own services, on a public address
        "192.0.0.0/24",  # protocols' own, and a cloud's services; not all versions of Python know it
        "192.88.99.0/24",  # relays of 6to4
        "64:ff9b:1::/48",  # NAT64 within a network
        "2002::/16",  # 6to4: may hold any IPv4 address
        "2001::/32",  # Teredo: likewise
        "::/96",  # IPv4 written as IPv6
        "3fff::/20",  # documentation; likewise
        "fec0::/10",  # site-local, of old
    )
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(Invalid):
    """A URL that messages may not leave for; why exactly is not said."""

    def __init__(self) -> None:
        super().__init__("This address takes no webhooks from here; give a public https:// address.", field="url")


@dataclass(frozen=True, slots=True)
class Reach:
    """The ports that may be used, and whether this machine itself may be called, for trying things out."""

    ports: frozenset[int] = frozenset({443})
    loopback: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart: nothing of it is read a second time, by somebody else's rules."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def target_of(url: str, reach: Reach) -> Target:
    """Take a URL apart. Raises `AddressRefused` for all but https, a public name or address, and a known port."""
    if len(url) > MOST_URL or not _VISIBLE.fullmatch(url) or "\\" in url or "#" in url:
        raise AddressRefused
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused from None
    host = (parts.hostname or "").lower()
    if "@" in parts.netloc or not _is_known_form(host, reach):
        raise AddressRefused
    at_home = reach.loopback and _is_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and at_home):
        raise AddressRefused
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    if port not in reach.ports and not at_home:
        raise AddressRefused
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path)


def refuse_private(addresses: list[str], reach: Reach) -> list[str]:
    """What a name resolved to, if every address of it may be called; one private among public ones is a trap."""
    if not addresses or not all(_may_be_called(address, reach) for address in addresses):
        raise AddressRefused
    return addresses


def is_public(text: str) -> bool:
    """Whether an address is one of the open internet, also behind the ways of writing IPv4 as IPv6."""
    try:
        address: Address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        address = _embedded(address)
    if any(address in network for network in _REFUSED if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _embedded(address: ipaddress.IPv6Address) -> Address:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_known_form(host: str, reach: Reach) -> bool:
    """A strict address, or a name of several labels that no resolver can read as a number or as our own."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        own = any(host == name or host.endswith("." + name) for name in _OWN_NAMES)
        return len(host) <= 253 and bool(_NAME.fullmatch(host)) and not _NUMBER.fullmatch(labels[-1]) and not own
    return _may_be_called(host, reach)


def _may_be_called(address: str, reach: Reach) -> bool:
    return is_public(address) or (reach.loopback and _is_loopback(address))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
