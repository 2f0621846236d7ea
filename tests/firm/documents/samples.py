"""Sample figures of a made-up firm, for the tests of papers, the documentation and the benchmarks."""

from __future__ import annotations

from typing import Any

FIRM = {
    "name": "Lovelace Maintainers",
    "address": ["12 Analytical Row", "1011 AB Amsterdam", "Netherlands"],
    "email": "papers@lovelace.example",
    "color": "#1f4e79",
}
GRACE = {"name": "Grace Hopper", "address": ["4 Compiler Lane", "Arlington, VA 22201", "United States"]}
ACME = {"name": "Acme Incorporated", "address": ["Accounts payable", "1 Road Runner Way", "Tucson, AZ 85701"]}


def money(amount: str, currency: str = "USD") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def statement(**changes: Any) -> dict[str, Any]:
    """Grace's October: a guarantee, two shares and a correction, of which most was paid."""
    return {
        "kind": "statement",
        "template": 1,
        "number": "S-2026-0001",
        "issued_on": "2026-11-01",
        "month": "2026-10",
        "firm": FIRM,
        "maintainer": GRACE,
        "currency": "USD",
        "opening": money("1250.00"),
        "earnings": [
            _earning("guarantee", None, "Guarantee of 4,000.00 USD a month", "4000.00"),
            _earning("growth-share", None, "10 % of the 3,000.00 USD that Acme's step up to Gold added", "300.00"),
            _earning("fund-share", "golang.org/x/crypto/ssh", "Half of what the package's fund gave", "1137.50"),
            _earning("adjustment", "filippo.io/age", "Counted twice in September", "-87.25", adjusts="2026-09"),
        ],
        "earned": money("5350.25"),
        "payouts": [
            {"on": "2026-10-05", "rail": "sepa", "reference": "RUN-2026-0009/1", "amount": money("1250.00")},
            {"on": "2026-10-31", "rail": "sepa", "reference": "RUN-2026-0010/1", "amount": money("4300.00")},
        ],
        "paid": money("5550.00"),
        "closing": money("1050.25"),
        "corrects": None,
    } | changes


def statement_of(rows: int, **changes: Any) -> dict[str, Any]:
    """A statement of so many earnings of 10.00 each and no payout."""
    earnings = [
        _earning("fund-share", f"example.org/package-{row:03d}", f"1 of {rows} equal shares", "10.00")
        for row in range(1, rows + 1)
    ]
    whole = money(f"{rows * 10}.00")
    figures = {"opening": money("0.00"), "earnings": earnings, "earned": whole, "payouts": [], "paid": money("0.00")}
    return statement(**(figures | {"closing": whole} | changes))


def funded_work_report(**changes: Any) -> dict[str, Any]:
    """Acme's October: a busy package, one with other people's releases, and one where nothing happened."""
    return {
        "kind": "funded-work-report",
        "template": 1,
        "number": "R-2026-0001",
        "issued_on": "2026-11-01",
        "from": "2026-10",
        "until": "2026-11",
        "firm": FIRM,
        "client": ACME,
        "tier": "Gold",
        "packages": [_ssh(), _age(), _staticcheck()],
        "totals": {"commit": 15, "review": 37, "release": 2, "triage": 21, "vulnerability": 1},
        "service": {
            "advice": [
                {
                    "on": "2026-10-08",
                    "title": "Moving the build farm from RSA to Ed25519 host keys",
                    "by": "Grace Hopper",
                    "url": None,
                }
            ],
            "meetings": [
                {"on": "2026-10-14", "title": "Quarterly review with the platform team", "by": "Ada Lovelace"}
            ],
        },
    } | changes


def remittance_advice(**changes: Any) -> dict[str, Any]:
    """One payment for the rest of September, a correction in the firm's favor, and a part of October."""
    return {
        "kind": "remittance-advice",
        "template": 1,
        "number": "RA-2026-0001",
        "issued_on": "2026-11-01",
        "sent_on": "2026-11-01",
        "firm": FIRM,
        "maintainer": GRACE,
        "payee": "Grace Hopper",
        "run": "RUN-2026-0010",
        "rail": "sepa",
        "reference": "RUN-2026-0010/1",
        "account_last4": "5555",
        "currency": "USD",
        "lines": [
            _covered("2026-09", "earnings", "", "5137.50", "1250.00"),
            _covered("2026-10", "other", "Counted twice in September", "-87.25", "-87.25", adjusts="2026-09"),
            _covered("2026-10", "earnings", "", "5437.50", "4387.25"),
        ],
        "total": money("5550.00"),
        "remaining": money("1050.25"),
        "audit": {"seq": 4711, "head": "9f86d081884c7d65"},
    } | changes


def self_billed_invoice(**changes: Any) -> dict[str, Any]:
    """Grace's October as her own invoice, with a domestic rate."""
    return {
        "kind": "self-billed-invoice",
        "template": 1,
        "number": "SB-LM-0007",
        "issued_on": "2026-11-01",
        "month": "2026-10",
        "supplied_from": "2026-10-01",
        "supplied_to": "2026-10-31",
        "statement": "ST-2026-0001",
        "firm": FIRM,
        "supplier": GRACE | {"vat_id": "NL123456782B90"},
        "customer": {"name": FIRM["name"], "address": FIRM["address"], "vat_id": "NL820646660B01"},
        "agreement": {"consented_on": "2026-09-15", "from_on": "2026-10-01"},
        "credits": None,
        "currency": "EUR",
        "lines": [
            _earning("guarantee", None, "Guarantee of 4,000.00 EUR a month", "4000.00", currency="EUR"),
            _earning("growth-share", "ssh", "10 % of the 3,000.00 EUR above the baseline", "300.00", currency="EUR"),
        ],
        "vat": {"treatment": "domestic", "rate_bp": 2100, "exemption": None},
        "net": money("4300.00", "EUR"),
        "vat_amount": money("903.00", "EUR"),
        "gross": money("5203.00", "EUR"),
    } | changes


def _covered(
    month: str, kind: str, text: str, whole: str, amount: str, *, adjusts: str | None = None
) -> dict[str, Any]:
    return {
        "month": month,
        "kind": kind,
        "text": text,
        "adjusts": adjusts,
        "whole": money(whole),
        "amount": money(amount),
    }


def _earning(
    kind: str, package: str | None, explanation: str, amount: str, *, adjusts: str | None = None, currency: str = "USD"
) -> dict[str, Any]:
    return {
        "kind": kind,
        "package": package,
        "explanation": explanation,
        "adjusts": adjusts,
        "amount": money(amount, currency),
    }


def _ssh() -> dict[str, Any]:
    name = "golang.org/x/crypto/ssh"
    return {
        "name": name,
        "reason": "you named this package: stopping is not acceptable; replacing it would take 24 engineer-months",
        "people": ["Grace Hopper"],
        "counts": {"commit": 12, "review": 30, "release": 2, "triage": 18, "vulnerability": 1},
        "releases": [
            _release("v0.46.0", "2026-10-12", "https://pkg.example.org/golang.org/x/crypto@v0.46.0", ours=True),
            _release("v0.45.1", "2026-10-03", "https://pkg.example.org/golang.org/x/crypto@v0.45.1", ours=True),
        ],
        "security": [
            {
                "id": "GO-2026-5005",
                "summary": "A client that opens channels without end can exhaust the memory of a server",
                "on": "2026-10-01",
                "url": "https://vuln.example.org/GO-2026-5005",
                "ours": True,
            }
        ],
        "work": [
            _work("2026-10-28", "ssh: bound the number of channels a client may open"),
            _work("2026-10-22", "ssh/agent: refuse keys whose constraints are unknown"),
            _work("2026-10-18", "ssh: synchronize access to the transport during rekeying"),
            _work("2026-10-09", "ssh: return the banner with the authentication error", url=None),
        ],
        "more": 8,
    }


def _age() -> dict[str, Any]:
    return {
        "name": "filippo.io/age",
        "reason": "you named this package: replacing it would take 3 engineer-months",
        "people": ["Ada Lovelace", "Grace Hopper"],
        "counts": {"commit": 3, "review": 7, "release": 0, "triage": 3},
        "releases": [_release("v1.4.0", "2026-10-20", "https://pkg.example.org/age@v1.4.0", ours=False)],
        "security": [],
        "work": [_work("2026-10-16", "plugin: wait for a plugin that asks for a touch", by="Ada Lovelace")],
        "more": 2,
    }


def _staticcheck() -> dict[str, Any]:
    return {
        "name": "honnef.co/go/tools/staticcheck",
        "reason": None,
        "people": ["Ada Lovelace"],
        "counts": {"commit": 0, "review": 0},
        "releases": [],
        "security": [],
        "work": [],
        "more": 0,
    }


def _release(version: str, on: str, url: str | None, *, ours: bool) -> dict[str, Any]:
    return {"version": version, "on": on, "url": url, "ours": ours}


def _work(
    on: str, title: str, *, by: str = "Grace Hopper", url: str | None = "https://go.example.org/c/crypto"
) -> dict[str, Any]:
    return {"on": on, "kind": "commit", "title": title, "by": by, "url": url}


def statement_2(**changes: Any) -> dict[str, Any]:
    """Grace's October in the second template: corrected, advanced, withheld from, paid, refused, and not all paid."""
    return {
        "kind": "statement",
        "template": 2,
        "number": "ST-2026-0007",
        "issued_on": "2026-11-01",
        "month": "2026-10",
        "firm": FIRM,
        "maintainer": GRACE,
        "currency": "USD",
        "corrects": None,
        "audit": {"seq": 812, "head": "9f86d081884c7d65"},
        "opening": money("1250.00"),
        "earnings": [
            _earned("guarantee", None, "Guarantee of 4,000.00 USD a month", "4000.00"),
            _earned("fund-share", "golang.org/x/crypto/ssh", "Half of what the package's fund gave", "1437.50"),
        ],
        "earned": money("5437.50"),
        "adjustments": [
            _adjusted("ADJ-2026-0003", "correction", "Counted twice", "-87.25", "filippo.io/age", adjusts="2026-09"),
            _adjusted("ADJ-2026-0004", "advance", "A new laptop", "600.00"),
            _adjusted("ADJ-2026-0005", "advance-recovery", "10 % of what the month earned", "-543.75"),
            _adjusted("ADJ-2026-0006", "withholding", "24 %, because no W-9 is on file", "-1297.56"),
        ],
        "adjusted": money("-1328.56"),
        "payouts": [
            _paid("2026-10-05", "1250.00", "pay-0001"),
            _paid("2026-10-06", "-1250.00", "pay-0001", reason="The account is closed"),
        ],
        "paid": money("0.00"),
        "closing": money("5358.94"),
        "unpaid": [
            {"why": "held", "run": "RUN-2026-0010", "reason": "No W-9 is on file.", "amount": money("5358.94")},
            {"why": "remainder", "run": "RUN-2026-0009", "reason": None, "amount": money("0.04")},
        ],
        "advanced": money("56.25"),
        "year": {
            "year": 2026,
            "earned": money("41200.00"),
            "withheld": money("1297.56"),
            "paid": money("35000.00"),
        },
    } | changes


def _earned(kind: str, package: str | None, explanation: str, amount: str) -> dict[str, Any]:
    return {"kind": kind, "package": package, "explanation": explanation, "amount": money(amount)}


def _adjusted(
    number: str, kind: str, reason: str, amount: str, package: str | None = None, *, adjusts: str | None = None
) -> dict[str, Any]:
    return {
        "number": number,
        "kind": kind,
        "reversal": False,
        "package": package,
        "reason": reason,
        "adjusts": adjusts,
        "amount": money(amount),
    }


def _paid(on: str, amount: str, reference: str | None, *, reason: str | None = None) -> dict[str, Any]:
    return {
        "on": on,
        "rail": "sepa",
        "run": "RUN-2026-0009",
        "reference": reference,
        "reason": reason,
        "amount": money(amount),
        "exchange": None,
    }
