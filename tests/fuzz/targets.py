"""The parsers, what they are fed, and the only errors they may raise."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask
from hypothesis import strategies as st
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from api import paging, strict
from api.fields import DateField, MomentInput, MoneyField, MonthField
from firm import ids
from firm.access.rules import scopes_text, well_formed
from firm.csvfile import formulas
from firm.csvfile import reading as csvfile
from firm.documents import papers
from firm.errors import ChambersError
from firm.money import Money
from firm.month import Month
from payouts.bank_files import reading as bank_files
from payouts.bank_files.discretion import clean
from payouts.provider_accounts.rules import standing
from payouts.rails.sepa import references
from payouts.rails.sepa.latin import latin
from payouts.rails.stripe.account_payloads import AccountPayload
from payouts.rails.stripe.payloads import TransferPayload, read
from staffing.work import git, osv
from tests.databases import settings_for
from tests.firm.documents import samples
from tests.fuzz.corpus import BYTES, MARKUP, MESSAGES, TEXTS

OURS = (ChambersError, ValidationError, HTTPException)

texts = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=200),
    st.text(alphabet="0123456789.-+eE_,:TZ/ ", max_size=60),
    st.tuples(st.sampled_from(TEXTS), st.text(max_size=20)).map("".join),
)
blobs = st.one_of(
    st.sampled_from(BYTES),
    st.binary(max_size=400),
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.tuples(st.sampled_from(BYTES), st.binary(max_size=20)).map(b"".join),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
records = st.dictionaries(
    st.sampled_from(["id", "summary", "published", "modified", "withdrawn", "aliases", "affected", "references"]),
    values,
)
payments = st.fixed_dictionaries(
    {
        "id": st.just("tr_1") | values,
        "created": st.integers() | values,
        "amount": st.integers() | values,
        "amount_reversed": st.just(0) | values,
        "currency": st.sampled_from(["usd", "isk", "kwd", "mga", "usdc"]) | values,
        "destination": st.just("acct_1") | values,
        "metadata": st.dictionaries(texts, texts, max_size=3) | values,
        "livemode": st.booleans() | values,
    }
)
capabilities = st.fixed_dictionaries({"stripe_transfers": values, "payouts": st.fixed_dictionaries({"status": texts})})
accounts = st.fixed_dictionaries(
    {
        "id": st.just("acct_1"),
        "configuration": values
        | capabilities.map(lambda found: {"recipient": {"capabilities": {"stripe_balance": found}}}),
        "requirements": values | st.lists(st.fixed_dictionaries({"description": texts})).map(lambda e: {"entries": e}),
    }
)


def _changed(parts: tuple[bytes, int, int, bytes]) -> bytes:
    """A bank's message with some of its bytes replaced."""
    message, start, length, other = parts
    start %= len(message)
    return message[:start] + other + message[start + length :]


bank_messages = st.tuples(
    st.sampled_from(MESSAGES),
    st.integers(0, 5_000),
    st.integers(0, 40),
    st.one_of(st.binary(max_size=12), st.sampled_from(MARKUP), texts.map(lambda text: text.encode("utf-8", "replace"))),
).map(_changed)


@dataclass(frozen=True, slots=True)
class Target:
    """A parser by name; `feed` calls it with one input of the strategy."""

    name: str
    inputs: st.SearchStrategy[Any]
    feed: Callable[[Any], object]
    seconds_each: float = 0.1


def targets(app: Flask) -> list[Target]:
    client = app.test_client()

    def with_header(name: str) -> Callable[[str], object]:
        def send(value: str) -> object:
            safe = value.encode("latin-1", "replace").decode("latin-1").replace("\r", " ").replace("\n", " ")
            answer = client.post("/v1/receipts", headers={name: safe}, json={})
            if answer.status_code >= 500:
                raise AssertionError(answer.get_data(as_text=True))
            return answer

        return send

    return [
        Target("money", texts, lambda text: Money.parse(text, "USD")),
        Target("money field", values, MoneyField().deserialize),
        Target("month", texts, Month.parse),
        Target("month field", values, MonthField().deserialize),
        Target("date field", values, DateField().deserialize),
        Target("moment field", values, MomentInput().deserialize),
        Target("JSON body", blobs, strict.parse),
        Target("JSON of anything", values.map(lambda value: json.dumps(value).encode()), strict.parse),
        Target("cursor", texts, lambda text: _in_request(app, text)),
        Target("ids", texts, lambda text: (ids.made_at(text), ids.number_of("ent", text), ids.is_id(text))),
        Target("token", texts, well_formed),
        Target("scopes", st.lists(texts, max_size=4), scopes_text),
        Target("Authorization header", texts, with_header("Authorization"), 0.3),
        Target("Idempotency-Key header", texts, with_header("Idempotency-Key"), 0.3),
        Target("CSV file", blobs, lambda raw: csvfile.read(raw, required=["name"], optional=["country"])),
        Target("formula guard", texts, _guard),
        Target("git log", blobs, lambda raw: list(git._records(io.BytesIO(raw), 9))),
        Target("git person", texts, git._person),
        Target("git trailers", texts, lambda text: list(git._fixed(text))),
        Target("git tag", texts, lambda text: git._is_version(text, "")),
        Target("OSV record", blobs, lambda raw: osv.parse("record.json", raw)),
        Target("OSV fields", records.map(lambda record: json.dumps(record).encode()), lambda raw: osv.parse("r", raw)),
        Target("Stripe's answer", payments, lambda answer: read(TransferPayload, answer)),
        Target("Stripe's account", st.one_of(values, accounts), lambda answer: standing(read(AccountPayload, answer))),
        Target("bank file", blobs, bank_files.read),
        Target("bank file, changed", bank_messages, bank_files.read),
        Target("bank's words", texts, lambda text: clean(text, most=140)),
        Target("SEPA text", texts, lambda text: latin(text, at_most=140)),
        Target("end-to-end id", texts, references.payout_of),
        Target("paper", texts.filter(str.strip), lambda name: papers.html(_statement_for(name)), 0.5),
    ]


def _statement_for(name: str) -> dict[str, Any]:
    return samples.statement(maintainer={"name": name, "address": [name]})


def _guard(text: str) -> None:
    if formulas.unguarded(formulas.guarded(text)) != text:
        raise AssertionError(text)


def _in_request(app: Flask, text: str) -> str:
    with app.test_request_context("/v1/clients"):
        return paging.decode(text, mark="")


@contextmanager
def application(url: str) -> Iterator[Flask]:
    from api.app import create_app
    from firm.db import db
    from migrations import run

    app = create_app(settings_for(url))
    with app.app_context():
        run.upgrade(db.engine)
    yield app
    with app.app_context():
        db.engine.dispose()
