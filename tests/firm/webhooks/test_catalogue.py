"""The catalogue: every type comes true somewhere, is documented, and says nothing but an id."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from firm.webhooks import rules
from firm.webhooks.catalogue import CATALOGUE, body, example, schema

ROOT = Path(__file__).parents[3]


def test_every_type_is_an_audit_record_that_somebody_writes() -> None:
    files = [path for layer in ("firm", "payouts", "staffing") for path in ROOT.glob(f"{layer}/**/*.py")]
    code = "\n".join(path.read_text() for path in files if path.name != "catalogue.py")
    written = set(re.findall(r'"([a-z-]+\.[a-z-]+)"', code))
    written |= {f"payout.{state}" for state in ("sent", "refused", "unknown")} if 'f"payout.{state}"' in code else set()
    written |= {"payee-payout.failed"} if 'f"payee-payout.{one.state}"' in code else set()
    assert set(CATALOGUE) <= written


def test_every_type_is_documented_with_its_version_and_field() -> None:
    page = (ROOT / "docs" / "webhooks.md").read_text()
    for name, kind in CATALOGUE.items():
        assert f"| `{name}` | {kind.version} | {kind.sentence} | `{kind.field}` |" in page


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_example_is_what_its_schema_says(name: str) -> None:
    found, said = example(name), schema(name)
    assert set(found) == set(said["required"]) == set(said["properties"])
    assert found["type"] == said["properties"]["type"]["const"]
    assert list(found["data"]) == said["properties"]["data"]["required"]


def test_a_message_is_small_and_the_same_each_time() -> None:
    moment = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    first = body("month.closed", "2026-10", moment)
    assert first == body("month.closed", "2026-10", moment)
    assert json.loads(first) == {
        "type": "month.closed",
        "version": 1,
        "timestamp": "2026-11-02T09:30:00Z",
        "data": {"month": "2026-10"},
    }


def test_signatures_are_those_of_standard_webhooks() -> None:
    secret, other, now = rules.new_secret(), rules.new_secret(), datetime.now(UTC)
    signed = rules.headers("evt_1", '{"a":1}', [secret, other], now=now)
    theirs = Webhook(secret).sign("evt_1", now, '{"a":1}')
    assert signed["webhook-signature"].split()[0] == theirs
    for known in (secret, other):
        assert Webhook(known).verify('{"a":1}', signed) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(rules.new_secret()).verify('{"a":1}', signed)


@pytest.mark.parametrize("away", [timedelta(minutes=-6), timedelta(minutes=6)])
def test_a_stale_or_future_message_does_not_verify(away: timedelta) -> None:
    secret = rules.new_secret()
    signed = rules.headers("evt_1", "{}", [secret], now=datetime.now(UTC) + away)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify("{}", signed)
