"""Which rail suits a payee, by country, currency and what is set up."""

from __future__ import annotations

import pytest

from payouts.destinations.rules import AccountMissing, CountryNotReached, checked, suggest
from payouts.rails.manual import ManualRail
from payouts.rails.rail import Description
from payouts.rails.sepa.rail import SepaRail

CONNECT = Description(
    "connect",
    "A provider",
    needs_iban=False,
    currencies=frozenset({"USD", "EUR"}),
    countries=frozenset({"US", "FR"}),
    needs_account=True,
)
RAILS = {"manual": ManualRail().describe(), "sepa": SepaRail().describe(), "connect": CONNECT}


@pytest.mark.parametrize(
    ("country", "currency", "has_iban", "has_account", "suits"),
    [
        ("FR", "EUR", True, True, ["connect", "sepa", "manual"]),
        ("FR", "EUR", True, False, ["sepa", "manual"]),
        ("FR", "EUR", False, False, ["manual"]),
        ("US", "USD", False, True, ["connect", "manual"]),
        ("BR", "USD", False, True, ["manual"]),
        ("US", "JPY", True, True, ["manual"]),
    ],
)
def test_the_rails_that_suit_come_first(
    country: str, currency: str, has_iban: bool, has_account: bool, suits: list[str]
) -> None:
    found = suggest(RAILS, country, currency, has_iban, has_account)
    assert [one.rail for one in found if one.suits] == suits
    assert [one.suits for one in found] == sorted((one.suits for one in found), reverse=True)
    assert len(found) == len(RAILS)


def test_a_rail_that_does_not_suit_says_why() -> None:
    reasons = {one.rail: one.reason for one in suggest(RAILS, "BR", "USD", False, False)}
    assert reasons["connect"] == "it does not reach BR"
    assert reasons["sepa"] == "it does not pay USD"
    [connect] = [one for one in suggest(RAILS, "US", "USD", False, False) if one.rail == "connect"]
    assert "the payee has none set up" in connect.reason


def test_sepa_is_refused_for_an_account_outside_of_the_scheme_when_it_is_proposed() -> None:
    wanted = {"bic": None, "country": None, "account": None, "home": "BR", "rails": {"sepa": SepaRail()}}
    assert checked("sepa", iban="DE89370400440532013000", **wanted).country == "DE"  # type: ignore[arg-type]
    with pytest.raises(CountryNotReached, match="The rail sepa does not pay to accounts in BR; use another"):
        checked("sepa", iban="BR1500000000000010932840814P2", **wanted)  # type: ignore[arg-type]


def test_sepa_asks_for_an_iban_before_it_judges_where_the_payee_lives() -> None:
    for has_iban, reason in (
        (False, "it pays to an IBAN, and the payee has given none"),
        (True, "it does not reach BR"),
    ):
        [sepa] = [one for one in suggest(RAILS, "BR", "EUR", has_iban, False) if one.rail == "sepa"]
        assert (sepa.suits, sepa.reason) == (False, reason)


class Provider(ManualRail):
    """A rail that pays into accounts at a provider."""

    def describe(self) -> Description:
        return CONNECT


def test_a_rail_with_accounts_takes_a_payee_with_one_in_a_country_that_it_reaches() -> None:
    wanted = {"iban": None, "bic": None, "country": None, "rails": {"connect": Provider()}}
    assert checked("connect", account="acct_1", home="US", **wanted).account == "acct_1"  # type: ignore[arg-type]
    with pytest.raises(AccountMissing, match="the payee has none yet"):
        checked("connect", account=None, home="US", **wanted)  # type: ignore[arg-type]
    with pytest.raises(CountryNotReached, match="does not pay to BR"):
        checked("connect", account="acct_1", home="BR", **wanted)  # type: ignore[arg-type]
