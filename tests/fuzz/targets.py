"""The parsers and all the ways into them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from hypothesis import strategies as st
from pydantic import SecretStr

from api import strict
from api.app import create_app
from api.fields import DateField, MomentInput, MoneyField, MonthField
from firm import ids
from firm.db import db
from firm.documents import papers
from firm.money import Money
from firm.month import Month
from migrations import run
from payouts.bank_files import reading as bank_files
from payouts.bank_files.discretion import clean
from payouts.provider_accounts.rules import standing
from payouts.rails.sepa import references
from payouts.rails.sepa.latin import latin
from payouts.rails.stripe.account_payloads import AccountPayload
from payouts.rails.stripe.payloads import TransferPayload, read
from staffing.work import git, osv
from tests import lovelace
from tests.api.deliveries import CONNECT, PLATFORM
from tests.databases import settings_for
from tests.firm.documents import samples
from tests.fuzz import doors, files
from tests.fuzz.inputs import accounts, bank_messages, blobs, payments, records, texts, values
from tests.fuzz.target import Target

PARSERS = (
    "money",
    "dates and months",
    "JSON body",
    "cursors and queries",
    "headers",
    "CSV import",
    "bank files",
    "git",
    "OSV",
    "Stripe",
    "archives and backups",
    "papers",
)
"""In the order in which they are fed."""


def targets(app: Flask, folder: Path) -> list[Target]:
    """Every target; `folder` is where those that read files may put them."""
    return [*_values(), *_outside(), *_papers(), *doors.targets(app), *files.targets(folder)]


def _values() -> Sequence[Target]:
    return (
        Target("money", "money", texts, lambda text: Money.parse(text, "USD")),
        Target("money", "money field", values, MoneyField().deserialize),
        Target("dates and months", "month", texts, Month.parse),
        Target("dates and months", "month field", values, MonthField().deserialize),
        Target("dates and months", "date field", values, DateField().deserialize),
        Target("dates and months", "moment field", values, MomentInput().deserialize),
        Target("JSON body", "JSON body", blobs, strict.parse),
        Target("JSON body", "JSON of anything", values.map(lambda value: json.dumps(value).encode()), strict.parse),
        Target("cursors and queries", "ids", texts, _ids),
    )


def _outside() -> Sequence[Target]:
    fields = records.map(lambda record: json.dumps(record).encode())
    return (
        Target("bank files", "bank file", blobs, bank_files.read),
        Target("bank files", "bank file, changed", bank_messages, bank_files.read),
        Target("bank files", "bank's words", texts, lambda text: clean(text, most=140)),
        Target("bank files", "SEPA text", texts, lambda text: latin(text, at_most=140)),
        Target("bank files", "end-to-end id", texts, references.payout_of),
        Target("git", "git log", blobs, lambda raw: list(git._records(io.BytesIO(raw), 9))),
        Target("git", "git person", texts, git._person),
        Target("git", "git trailers", texts, lambda text: list(git._fixed(text))),
        Target("git", "git tag", texts, lambda text: git._is_version(text, "")),
        Target("OSV", "OSV record", blobs, lambda raw: osv.parse("record.json", raw)),
        Target("OSV", "OSV fields", fields, lambda raw: osv.parse("r", raw)),
        Target("Stripe", "Stripe's transfer", payments, lambda answer: read(TransferPayload, answer)),
        Target("Stripe", "Stripe's account", st.one_of(values, accounts), _account),
    )


def _papers() -> Sequence[Target]:
    names = texts.filter(str.strip)
    return (
        Target("papers", "paper as HTML", names, lambda name: papers.html(_statement_for(name)), 0.5),
        Target("papers", "paper as PDF", names, lambda name: papers.pdf(_statement_for(name)), 2),
    )


def _ids(text: str) -> object:
    return ids.made_at(text), ids.number_of("ent", text), ids.is_id(text)


def _account(answer: Any) -> object:
    return standing(read(AccountPayload, answer))


def _statement_for(name: str) -> dict[str, Any]:
    return samples.statement(maintainer={"name": name, "address": [name]})


@contextmanager
def application(url: str) -> Iterator[Flask]:
    """The firm of the examples, with signing secrets for Stripe's two addresses."""
    secrets = {
        "stripe_webhook_secrets": SecretStr(PLATFORM),
        "stripe_connect_webhook_secrets": SecretStr(CONNECT),
        "requests_per_minute": 10_000_000,
        "strangers_per_minute": 10_000_000,
    }
    app = create_app(settings_for(url).model_copy(update=secrets))
    with app.app_context():
        run.upgrade(db.engine)
        lovelace.set_up()
        yield app
        db.session.remove()
        db.engine.dispose()
