"""Sending over real sockets: to the address that was checked, for as long as agreed, and nothing is given away."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from firm.webhooks import sender as sender_module
from firm.webhooks.addresses import AddressRefused, Reach
from firm.webhooks.sender import MOST_KEPT, NO_ANSWER, Answer, Resolve, Sender
from tests import receivers
from tests.receivers import Behavior, answering, receiver

NAME = "tools.example.com"


class Resolver:
    """Answers look-ups in their order, the last one for ever, and counts them."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Watched(socket.socket):
    """Notes who is connected to."""

    called: list[object] = []  # noqa: RUF012

    def connect(self, address: object) -> None:  # type: ignore[override]
        self.called.append(address)
        super().connect(address)  # type: ignore[arg-type]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The addresses that connections were made to."""
    Watched.called = []
    monkeypatch.setattr(socket, "socket", Watched)
    return Watched.called


def literal(host: str, port: int) -> list[str]:
    return [host.strip("[]")]


def post(url: str, *, resolve: Resolve = literal, reach: Reach | None = None, seconds: int = 5) -> Answer:
    return Sender(reach or Reach(loopback=True), resolve=resolve, seconds=seconds).post(url, "{}", {"webhook-id": "1"})


def test_a_message_arrives_and_its_answer_comes_back() -> None:
    with receiver(answering(200, "merci \U0001f40d\n".encode())) as there:
        answer = post(there.url)
    assert (answer.status, answer.text, answer.is_taken) == (200, "merci \U0001f40d ", True)
    [message] = there.messages
    assert (message.path, message.body) == ("/hooks", "{}")
    assert message.headers["host"] == f"127.0.0.1:{there.port}"
    assert message.headers["content-type"] == "application/json"
    assert message.headers["webhook-id"] == "1"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_takes_it(status: int) -> None:
    with receiver(answering(status, b"")) as there:
        assert post(there.url).is_taken


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 400, 401, 404, 410, 429, 500, 503])
def test_nothing_else_takes_it_and_no_redirect_is_followed(status: int) -> None:
    with receiver() as inside:
        elsewhere = answering(status, b"", Location=inside.url)
        with receiver(elsewhere) as there:
            answer = post(there.url)
    assert (answer.status, answer.is_taken, answer.is_gone) == (status, False, status == 410)
    assert len(there.messages) == 1
    assert inside.messages == []


@pytest.mark.parametrize(
    "behave", [receivers.hanging_up, receivers.talking_nonsense, receivers.saying_nothing, receivers.dripping]
)
def test_a_bad_receiver_costs_its_time_and_no_more(behave: Behavior) -> None:
    began = time.monotonic()
    with receiver(behave) as there:
        answer = post(there.url, seconds=1)
        took = time.monotonic() - began
    assert (answer.status, answer.text) == (None, NO_ANSWER)
    assert took < 2


def test_an_answer_without_end_is_not_read_to_the_end() -> None:
    with receiver(receivers.pouring) as there:
        answer = post(there.url)
    assert answer.status == 200
    assert len(answer.text) == MOST_KEPT
    assert answer.duration_ms < 2000


def test_what_comes_back_is_kept_as_plain_text() -> None:
    with receiver(answering(500, b"\x00\x1b[31m\xff\xfeoops\r\n<b>" + b"x" * 5000)) as there:
        answer = post(there.url)
    assert answer.text.isprintable()
    assert "oops" in answer.text
    assert len(answer.text) == MOST_KEPT


def test_a_closed_port_a_refused_address_and_an_unknown_name_look_alike(called: list[object]) -> None:
    with receiver() as there:
        closed = there.url
    resolve = Resolver([])
    answers = [
        post(closed),
        post("https://10.0.0.1/"),
        post("https://169.254.169.254/latest/meta-data/"),
        post(f"https://{NAME}/", resolve=resolve, reach=Reach()),
        post(f"https://{NAME}/", resolve=Resolver(["10.0.0.1"]), reach=Reach()),
    ]
    assert {(answer.status, answer.text) for answer in answers} == {(None, NO_ANSWER)}
    assert called == [("127.0.0.1", int(closed.split(":")[2].split("/")[0]))]


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    def slow(host: str, port: int) -> list[str]:
        time.sleep(3)
        return ["127.0.0.1"]

    began = time.monotonic()
    assert post(f"https://{NAME}/", resolve=slow, seconds=1).status is None
    assert time.monotonic() - began < 2


def test_a_name_is_refused_when_it_is_saved_if_any_address_of_it_is_private() -> None:
    for found in ([], ["127.0.0.1"], ["93.184.216.34", "10.0.0.7"]):
        with pytest.raises(AddressRefused):
            Sender(Reach(), resolve=Resolver(found)).refuse(f"https://{NAME}/")
    Sender(Reach(), resolve=Resolver(["93.184.216.34"])).refuse(f"https://{NAME}/")


def test_a_name_that_was_public_when_saved_and_leads_home_later_is_not_called(called: list[object]) -> None:
    resolve = Resolver(["93.184.216.34"], ["127.0.0.1"])
    sender = Sender(Reach(), resolve=resolve)
    sender.refuse(f"https://{NAME}/")
    assert sender.post(f"https://{NAME}/", "{}", {}).status is None
    assert called == []


@pytest.mark.parametrize("mixed", [["93.184.216.34", "127.0.0.1"], ["::1", "93.184.216.34"]])
def test_a_name_with_mixed_addresses_is_not_called_at_all(called: list[object], mixed: list[str]) -> None:
    assert post(f"https://{NAME}/", resolve=Resolver(mixed), reach=Reach()).status is None
    assert called == []


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the name, which signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3650))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def secured(certificate: Path) -> Iterator[receivers.Receiver]:
    """A receiver that speaks TLS under the name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiver(answering(200), context=context) as there:
        yield there


def trusting(certificate: Path, port: int, resolve: Resolve, *, seconds: int = 5) -> Sender:
    context = ssl.create_default_context(cafile=str(certificate))
    return Sender(Reach(frozenset({port}), loopback=True), resolve=resolve, context=context, seconds=seconds)


def test_the_address_that_was_looked_up_once_is_called_under_the_name(
    certificate: Path, secured: receivers.Receiver, called: list[object]
) -> None:
    resolve = Resolver(["127.0.0.1"], ["10.0.0.1"])
    answer = trusting(certificate, secured.port, resolve).post(f"https://{NAME}:{secured.port}/hooks", "{}", {})
    assert (answer.status, answer.text) == (200, "thank you")
    assert resolve.asked == [NAME]
    assert called == [("127.0.0.1", secured.port)]
    assert secured.messages[0].headers["host"] == f"{NAME}:{secured.port}"


def test_a_certificate_for_another_name_is_no_answer(certificate: Path, secured: receivers.Receiver) -> None:
    sender = trusting(certificate, secured.port, Resolver(["127.0.0.1"]))
    assert sender.post(f"https://other.example.com:{secured.port}/", "{}", {}).text == NO_ANSWER
    assert secured.messages == []


def test_a_certificate_that_nobody_trusts_is_no_answer(secured: receivers.Receiver) -> None:
    reach = Reach(frozenset({secured.port}), loopback=True)
    sender = Sender(reach, resolve=Resolver(["127.0.0.1"]))
    assert sender.post(f"https://{NAME}:{secured.port}/", "{}", {}).text == NO_ANSWER
    assert secured.messages == []


def test_when_one_public_address_is_down_the_next_is_tried(certificate: Path, secured: receivers.Receiver) -> None:
    sender = trusting(certificate, secured.port, Resolver(["::1", "127.0.0.1"]))
    assert sender.post(f"https://{NAME}:{secured.port}/hooks", "{}", {}).status == 200


def test_an_address_that_is_silent_does_not_use_up_the_time_of_the_next(
    certificate: Path, secured: receivers.Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = sender_module._opened

    def silent_elsewhere(address: str, port: int, until: float) -> socket.socket:
        if address == "127.0.0.1":
            return opened(address, port, until)
        time.sleep(max(0, until - time.monotonic()))
        raise TimeoutError

    monkeypatch.setattr(sender_module, "_opened", silent_elsewhere)
    sender = trusting(certificate, secured.port, Resolver(["127.0.0.2", "127.0.0.1"]), seconds=2)
    assert sender.post(f"https://{NAME}:{secured.port}/hooks", "{}", {}).status == 200
