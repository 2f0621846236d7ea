"""Which addresses messages may leave for: every trick of the list is refused, in the same words."""

from __future__ import annotations

import pytest

from firm.webhooks.addresses import AddressRefused, Reach, is_public, refuse_private, target_of

OUTSIDE = Reach()
AT_HOME = Reach(loopback=True)
SENTENCE = "This address takes no webhooks from here; give a public https:// address."

TRICKS = [
    "",
    "hooks",
    "//tools.example.com/",
    "http://tools.example.com/",
    "ftp://tools.example.com/",
    "file:///etc/passwd",
    "gopher://tools.example.com/",
    "javascript:alert(1)",
    "https://",
    "https:///hooks",
    "https://ada@tools.example.com/",
    "https://ada:secret@tools.example.com/",
    "https://tools.example.com@127.0.0.1/",
    "https://tools.example.com:80/",
    "https://tools.example.com:8443/",
    "https://tools.example.com:22/",
    "https://tools.example.com:0/",
    "https://tools.example.com:99999/",
    "https://tools.example.com:four/",
    "https://tools.example.com#@127.0.0.1/",
    "https://tools.example.com\\@127.0.0.1/",
    "https://tools.example.com/a b",
    "https://tools.example.com/\r\nHost: 127.0.0.1",
    "https://tools.example.com/\x00",
    "https://tools.exämple.com/",
    "https://①②⑦.⓪.⓪.①/",
    "https://tools.example.com./",
    "https://127.0.0.1./",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.8.9.10/",
    "https://0/",
    "https://0.0.0.0/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://127.0.0.0x1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://100.100.100.200/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://192.0.2.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[::1/",
    "https://localhost/",
    "https://LOCALHOST/",
    "https://api.localhost/",
    "https://printer/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://hidden.onion/",
    "https://-.example.com/",
    "https://a..example.com/",
    f"https://{'a' * 64}.example.com/",
    f"https://tools.example.com/{'a' * 1000}",
]


@pytest.mark.parametrize("url", TRICKS)
def test_every_trick_is_refused_in_the_same_words(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        target_of(url, OUTSIDE)
    assert (refused.value.message, refused.value.field) == (SENTENCE, "url")


@pytest.mark.parametrize(
    ("url", "host", "path", "authority"),
    [
        ("https://tools.example.com", "tools.example.com", "/", "tools.example.com"),
        ("https://tools.example.com/", "tools.example.com", "/", "tools.example.com"),
        ("HTTPS://Tools.Example.COM:443/a?b=c%20d", "tools.example.com", "/a?b=c%20d", "tools.example.com"),
        ("https://xn--exmple-cua.com/", "xn--exmple-cua.com", "/", "xn--exmple-cua.com"),
        ("https://8.8.8.8/", "8.8.8.8", "/", "8.8.8.8"),
        ("https://[2606:4700:4700::1111]/", "2606:4700:4700::1111", "/", "[2606:4700:4700::1111]"),
    ],
)
def test_a_public_address_is_taken(url: str, host: str, path: str, authority: str) -> None:
    target = target_of(url, OUTSIDE)
    assert (target.scheme, target.host, target.port, target.path) == ("https", host, 443, path)
    assert target.authority == authority


def test_a_port_may_be_allowed() -> None:
    target = target_of("https://tools.example.com:8443/", Reach(frozenset({443, 8443})))
    assert target.authority == "tools.example.com:8443"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "https://127.0.0.1:8443/", "http://[::1]:8080/"])
def test_this_machine_may_be_called_where_that_is_set(url: str) -> None:
    assert target_of(url, AT_HOME).port in (8080, 8443)


@pytest.mark.parametrize(
    "url",
    [
        "http://tools.example.com/",
        "https://tools.example.com:8080/",
        "http://10.0.0.1/",
        "https://192.168.1.1/",
        "http://169.254.169.254/",
        "http://localhost/",
        "http://2130706433/",
    ],
)
def test_and_nothing_else_then(url: str) -> None:
    with pytest.raises(AddressRefused):
        target_of(url, AT_HOME)


@pytest.mark.parametrize(
    "found",
    [
        [],
        ["127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["127.0.0.1", "93.184.216.34"],
        ["93.184.216.34", "::1"],
        ["2606:4700:4700::1111", "::ffff:10.0.0.1"],
        ["93.184.216.34", "64:ff9b::a9fe:a9fe"],
        ["fe80::1%2"],
        ["not an address"],
    ],
)
def test_a_name_with_one_private_address_is_refused_whole(found: list[str]) -> None:
    with pytest.raises(AddressRefused):
        refuse_private(found, OUTSIDE)


def test_a_name_with_public_addresses_only_is_taken() -> None:
    found = ["93.184.216.34", "2606:4700:4700::1111", "64:ff9b::5db8:d822"]
    assert refuse_private(found, OUTSIDE) == found


@pytest.mark.parametrize(
    ("address", "public"),
    [
        *[("93.184.216.34", True), ("::ffff:93.184.216.34", True)],
        *[("192.88.99.1", False), ("100.127.255.254", False), ("192.0.0.192", False), ("3fff::1", False)],
    ],
)
def test_an_address_is_public_or_not(address: str, public: bool) -> None:
    assert is_public(address) is public
