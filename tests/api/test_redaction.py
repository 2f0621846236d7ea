"""What looks like a secret or a bank account never leaves in a log line."""

from __future__ import annotations

import base64
import json

import pytest

from api.redaction import REMOVED, redact
from firm.access.rules import new_secret

SECRETS = {
    "a token": new_secret(),
    "a token cut short": new_secret()[:12],
    "an IBAN": "DE89370400440532013000",
    "an IBAN as printed": "GB29 NWBK 6016 1331 9268 19",
    "an IBAN in small letters": "nl91abna0417164300",
    "the longest IBAN": "MT84MALT011000012345MTLCAST001S",
    "a key for bank details": "k1:" + base64.b64encode(b"k" * 32).decode(),
    "a provider's key": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "a provider's restricted key": "rk_test_51N_x",
    "a key that the provider has masked": "sk_test_****cdef",
    "a link that lets a payee in": "https://connect.stripe.com/setup/e/acct_1Nv0FGQ9RKHgCVdK/Jyn3W0bG2dbE",
    "a signing secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "an age identity": "AGE-SECRET-KEY-1QQPQYYSZQGQ",
    "a foreign bearer token": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc",
    "a database password": "postgresql://ada:hunter22@db/books",
}


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("around", ["{}", "before {} after", '"{}"', "key={},", "({})"])
def test_a_secret_is_cut_out_wherever_it_stands(kind: str, around: str) -> None:
    line = redact(around.format(SECRETS[kind]))
    assert REMOVED in line
    assert SECRETS[kind] not in line
    assert "hunter22" not in line


@pytest.mark.parametrize("kind", SECRETS)
def test_a_cut_line_is_still_json(kind: str) -> None:
    cut = json.loads(redact(json.dumps({"message": f"it was {SECRETS[kind]} there", "status": 200})))
    assert cut["status"] == 200
    assert cut["message"].startswith("it was ")


@pytest.mark.parametrize(
    "text",
    [
        "req_01M84ZXG4E7VRFJZ4Q9VMRNG67",
        "GET /v1/payout-runs/<run>/approval 200",
        "2026-10-31T09:00:00.123Z",
        "api/v1/payout_runs.py:120 approved",
        "The books of October 2026 are closed",
        "sqlalchemy.exc.IntegrityError",
    ],
)
def test_what_a_log_is_for_stays(text: str) -> None:
    assert redact(text) == text
