"""Changing the firm's settings: all that is asked for at once, or none of it, and a record of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from firm.actor import Actor
from firm.audit import operations as audit
from firm.audit.rules import digest
from firm.db import transaction, use_case
from firm.errors import InvariantBroken, NothingToChange
from firm.money import Money
from firm.particulars import checked_address, checked_bic, checked_email, checked_name, checked_vat_id
from firm.profile.model import MOST_COOLING_OFF_HOURS, Profile
from firm.profile.operations import InvalidProfile, checked_color, current
from firm.secrets import SealedColumn, SecretKeys

SEALED = SealedColumn("profile", "iban_sealed", "profile.iban:1")
LONGEST_AGREEMENT = 60
TAX_FORMS = ("off", "on", "withhold")
"""Payees need no US tax form; need one; or are paid without one, less backup withholding from the next close on."""


@use_case
def change_firm(
    *,
    name: str | None = None,
    address: Sequence[str] | None = None,
    email: str | None = None,
    color: str | None = None,
    sole_approval: bool | None = None,
    cooling_off_hours: int | None = None,
    adjustment_limit: Money | None = None,
    tax_forms: str | None = None,
    vat_id: str | None = None,
    self_billing_months: int | None = None,
    iban: str | None = None,
    bic: str | None = None,
    keys: SecretKeys | None = None,
    by: Actor,
    now: datetime,
) -> Profile:
    """Set what is given; what is None stays as it is.

    Raises `InvalidProfile`, `InvalidVatId`, `InvalidParticulars`, and `NothingToChange` where all is set like this.

    - `name`, `address`, `email`, `color`: how papers name the firm from now on; those that are issued stay as they are.
    - `sole_approval`: one person may prepare and approve a run, or confirm a destination of their own.
    - `cooling_off_hours`: for how long nobody is paid to a changed destination, from the next confirmation on.
    - `adjustment_limit`: what others than the lead may adjust for one maintainer in one month.
    - `tax_forms`: one of `TAX_FORMS`, for payers of the United States.
    - `vat_id`: the firm's own, as papers show it.
    - `self_billing_months`: how long an agreement may run from now on.
    - `iban`: the account that SEPA files pay from, checked by the caller's rail and kept sealed with `keys`.
    """
    with transaction() as session:
        change = _Change(session, by, now)
        change.letterhead(name, address, email, color)
        if sole_approval is not None:
            change.sole_approval(sole_approval)
        if cooling_off_hours is not None:
            change.cooling_off(cooling_off_hours)
        if adjustment_limit is not None:
            change.adjustment_limit(adjustment_limit)
        if tax_forms is not None:
            change.tax_forms(tax_forms)
        if vat_id is not None:
            change.vat_id(vat_id)
        if self_billing_months is not None:
            change.self_billing_months(self_billing_months)
        if iban is not None or bic is not None:
            change.bank_account(iban, bic, keys)
        if not change.made:
            raise NothingToChange("The firm is set like this already; say what is different.")
        return current(session)


class _Change:
    """One transaction's changes, each with its record; what is set like this already leaves none."""

    def __init__(self, session: Session, by: Actor, now: datetime) -> None:
        self._session, self._by, self._now = session, by, now
        self.made = False

    def letterhead(self, name: str | None, address: Sequence[str] | None, email: str | None, color: str | None) -> None:
        values = {
            "name": None if name is None else checked_name(name),
            "address": None if address is None else checked_address(address),
            "email": email and checked_email(email),
            "color": None if color is None else checked_color(color),
        }
        given = {key: value for key, value in values.items() if value is not None}
        if given:
            self.record("firm.letterhead", given, **given)

    def sole_approval(self, allowed: bool) -> None:
        self.record("firm.sole-approval", {"allowed": allowed}, sole_approval=allowed)

    def vat_id(self, text: str) -> None:
        number = checked_vat_id(text)
        self.record("firm.vat-id", {"vat_id": number}, vat_id=number)

    def cooling_off(self, hours: int) -> None:
        if not 0 <= hours <= MOST_COOLING_OFF_HOURS:
            raise InvalidProfile(
                f"The cooling-off time is 0 to {MOST_COOLING_OFF_HOURS} hours.", field="cooling_off_hours"
            )
        facts = {"hours": hours, "before": current(self._session).cooling_off_hours}
        self.record("firm.cooling-off", facts, cooling_off_hours=hours)

    def adjustment_limit(self, limit: Money) -> None:
        currency = current(self._session).currency
        if limit.minor < 0 or limit.currency != currency:
            raise InvalidProfile(
                f"A limit is zero or more, in {currency}, the currency of the books.", field="adjustment_limit"
            )
        self.record("firm.adjustment-limit", {"limit_minor": limit.minor}, adjustment_limit_minor=limit.minor)

    def tax_forms(self, switch: str) -> None:
        required, withhold = switch != "off", switch == "withhold"
        facts = {"required": required, "withhold": withhold}
        self.record("firm.tax-forms", facts, tax_forms_required=required, backup_withholding=withhold)

    def self_billing_months(self, months: int) -> None:
        if not 1 <= months <= LONGEST_AGREEMENT:
            raise InvalidProfile(
                f"An agreement runs 1 to {LONGEST_AGREEMENT} months; {months} is not among them.",
                field="self_billing_months",
            )
        self.record("firm.self-billing-months", {"months": months}, self_billing_months=months)

    def bank_account(self, iban: str | None, bic: str | None, keys: SecretKeys | None) -> None:
        if iban is None:
            raise InvalidProfile("A BIC goes with its IBAN; give both.", field="bic")
        if keys is None:
            raise InvariantBroken("An account is kept sealed, and there are no keys to seal it with.")
        sealed = keys.seal(iban, place=SEALED.place)
        bank = bic and checked_bic(bic)
        self.record("firm.bank-account-set", {"last4": iban[-4:]}, iban_sealed=sealed, iban_last4=iban[-4:], bic=bank)

    def record(self, verb: str, facts: Mapping[str, object], **values: object) -> None:
        profile = current(self._session)
        if all(getattr(profile, name) == value for name, value in values.items()):
            return
        self.made = True
        before = digest(profile)
        self._session.execute(update(Profile).values(**values))
        self._session.refresh(profile)
        audit.record(self._session, verb, "firm", facts, before=before, after=profile, by=self._by, now=self._now)
