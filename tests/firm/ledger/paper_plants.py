"""A breach of every invariant of what payees get on paper, and of their tax forms."""

from __future__ import annotations

from tests.firm.ledger.payout_plants import another_payout
from tests.firm.ledger.planting import PLANTED_AT, SOMEBODY, MorePlants, Plants, Sql, row

NEXT_STATEMENT = (
    "INSERT INTO statement (id, number, maintainer_id, month, version, currency, opening_minor, earned_minor,"
    " paid_minor, closing_minor, figures, sha256, issued_at) SELECT id || 'x', number || 'x', maintainer_id,"
    " '2026-11', 1, currency, closing_minor + 1, 0, closing_minor + 1, 0, '{}', 'h', issued_at FROM statement"
)
STATEMENTS: Plants = {
    "statements-follow-on": [NEXT_STATEMENT],
    "statements-are-the-books": ["UPDATE statement SET closing_minor = closing_minor + 1"],
    "statements-account-for-all": ["UPDATE statement SET adjusted_minor = adjusted_minor + 1"],
    "corrected-statements-refer": [
        (
            "INSERT INTO statement (id, number, maintainer_id, month, version, currency, opening_minor, earned_minor,"
            " paid_minor, closing_minor, figures, sha256, issued_at) SELECT id || 'y', number || 'y', maintainer_id,"
            " month, 2, currency, opening_minor, earned_minor, paid_minor, closing_minor, '{}', 'h', issued_at"
            " FROM statement"
        )
    ],
}


def advice(payout: str, **changes: object) -> str:
    """What tells a payee of a payout."""
    same = {name: Sql(name) for name in ("maintainer_id", "currency", "amount_minor")}
    paper = {"id": "adv_x", "number": "RA-X", "payout_id": Sql("id"), "figures": "{}", "sha256": "h"}
    return row(
        "remittance_advice", beside=f"payout WHERE {payout}", **{**paper, **same, **changes}, issued_at=PLANTED_AT
    )


REMITTANCE: Plants = {
    "advices-are-payouts": [advice("state = 'settled'", amount_minor=Sql("amount_minor + 1"))],
    "advices-were-sent": [*another_payout("x", "canceled"), advice("state = 'canceled'")],
}


def tax_form(name: str, **changes: object) -> str:
    form: dict[str, object] = {"id": f"tax_{name}", "maintainer_id": Sql(SOMEBODY), "kind": "W-8BEN", "name": "Grace"}
    days = {"signed_on": "2026-10-01", "received_on": "2026-10-01", "expires_on": "2029-12-31"}
    return row("tax_form", **{**form, **days, **changes}, recorded_at=PLANTED_AT, recorded_by="mallory")


TAX_FORMS: Plants = {
    "one-live-tax-form": ["DROP INDEX uq_tax_form_live", tax_form("x"), tax_form("y")],
    "tax-numbers-sealed": [tax_form("x", tin_sealed="900700000", tin_last4="0000")],
}


def agreement(name: str = "x", **changes: object) -> str:
    days = {"consented_on": "2026-10-01", "from_on": "2026-10-01", "until_on": "2027-10-01"}
    supplier = {"supplier_name": "Grace", "supplier_address": "1 Main Street"}
    return row(
        "self_billing_agreement",
        id=f"sba_{name}",
        maintainer_id=Sql(SOMEBODY),
        series="GRACE-",
        treatment="small-business",
        exemption="Exempt",
        recorded_by="mallory",
        **{"recorded_at": PLANTED_AT, **days, **supplier, **changes},
    )


def series(last: int) -> str:
    return row("self_billing_series", maintainer_id=Sql(SOMEBODY), series="GRACE-", last=last)


def self_billed(position: int = 1, *, more: int = 0, on: str = "2026-11-05", number: str = "") -> str:
    """An invoice for what October's statement says was earned, and so much more."""
    return row(
        "self_billed_invoice",
        beside=f"statement WHERE maintainer_id = {SOMEBODY}",
        id=f"sbi_{position}",
        kind="invoice",
        number=number or f"GRACE-{position:04d}",
        maintainer_id=Sql("maintainer_id"),
        agreement_id="sba_x",
        statement_id=Sql("id"),
        month=Sql("month"),
        version=position,
        series="GRACE-",
        position=position,
        issued_on=on,
        currency=Sql("currency"),
        net_minor=Sql(f"earned_minor + {more}"),
        vat_minor=0,
        gross_minor=Sql(f"earned_minor + {more}"),
        figures="{}",
        sha256="h",
        issued_at=PLANTED_AT,
    )


SELF_BILLING: Plants = {
    "self-billing-series-gapless": [agreement(), series(2), self_billed(2)],
    "self-billed-under-agreement": [agreement(), series(1), self_billed(on="2027-10-01")],
    "self-billed-once": [agreement(), series(2), self_billed(1), self_billed(2)],
    "self-billed-as-stated": [agreement(), series(1), self_billed(more=1)],
    "agreements-apart": [agreement("x"), agreement("y", from_on="2027-09-30", until_on="2028-09-30")],
}
MORE_PAPERS: MorePlants = [
    ("self-billing-series-gapless", [agreement(), self_billed()]),
    ("self-billing-series-gapless", [agreement(), series(1), self_billed(number="GRACE-0007")]),
    ("self-billed-under-agreement", [agreement(recorded_at="2026-11-06 09:00:00"), series(1), self_billed()]),
    ("self-billed-under-agreement", [series(1), self_billed()]),
    (
        "self-billed-under-agreement",
        [
            agreement(ended_on="2026-11-05", ended_by="supplier", end_reason="No longer"),
            series(1),
            self_billed(),
        ],
    ),
]
