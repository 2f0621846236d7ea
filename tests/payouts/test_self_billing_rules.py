"""Self-billing without a database: VAT to the minor unit, treatments, series and days."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firm.money import Money
from firm.particulars import InvalidVatId, checked_vat_id
from payouts.self_billing.rules import (
    InvalidAgreement,
    Vat,
    checked_series,
    checked_vat,
    latest_end,
    numbered,
    reverse_charge_obstacle,
    sums,
)


def domestic(rate_bp: int) -> Vat:
    return Vat("domestic", rate_bp)


@pytest.mark.parametrize(
    ("net", "rate_bp", "vat"),
    [
        ("4300.00", 1900, "817.00"),
        ("1950.00", 2100, "409.50"),
        ("0.02", 2500, "0.01"),  # half a cent goes up
        ("0.01", 2500, "0.00"),
        ("0.03", 1700, "0.01"),
        ("99.99", 550, "5.50"),
        ("10.01", 2000, "2.00"),
        ("1000000000.01", 2700, "270000000.00"),
        ("-4300.00", 1900, "-817.00"),
        ("-0.02", 2500, "-0.01"),
    ],
)
def test_vat_is_worked_out_once_on_the_net_sum_halves_up(net: str, rate_bp: int, vat: str) -> None:
    found = sums(Money.parse(net, "EUR"), domestic(rate_bp))
    assert found.vat == Money.parse(vat, "EUR")
    assert found.gross == found.net + found.vat


@given(st.integers(1, 10**12), st.integers(1, 10_000))
def test_vat_is_within_half_a_unit_of_exact_and_mirrors(net: int, rate_bp: int) -> None:
    vat = sums(Money(net, "EUR"), domestic(rate_bp)).vat.minor
    assert abs(vat * 10_000 - net * rate_bp) * 2 <= 10_000
    assert sums(Money(-net, "EUR"), domestic(rate_bp)).vat.minor == -vat


@pytest.mark.parametrize("currency", ["JPY", "KWD", "USD"])
def test_no_other_treatment_adds_any(currency: str) -> None:
    net = Money(12_345, currency)
    for vat in (Vat("reverse-charge"), Vat("small-business", exemption="§ 19 UStG")):
        assert sums(net, vat).gross == net
    assert sums(Money(1_000, currency), domestic(1000)).vat == Money(100, currency)


@pytest.mark.parametrize(
    ("vat", "vat_id", "said"),
    [
        (Vat("import"), "DE136695976", "one of domestic, reverse-charge, small-business"),
        (Vat("domestic"), "DE136695976", "A rate of VAT goes with the domestic treatment"),
        (Vat("reverse-charge", 1900), "DE136695976", "A rate of VAT goes with the domestic treatment"),
        (Vat("domestic", 0), "DE136695976", "between 0.01 % and 100 %"),
        (Vat("domestic", 10_001), "DE136695976", "between 0.01 % and 100 %"),
        (Vat("small-business"), None, "names its exemption"),
        (Vat("small-business", exemption="  "), None, "names its exemption"),
        (Vat("domestic", 1900, "§ 19 UStG"), "DE136695976", "names its exemption"),
        (Vat("domestic", 1900), None, "needs the supplier's VAT id"),
        (Vat("reverse-charge"), None, "needs the supplier's VAT id"),
    ],
)
def test_a_treatment_has_what_it_needs_and_nothing_else(vat: Vat, vat_id: str | None, said: str) -> None:
    with pytest.raises(InvalidAgreement, match=said):
        checked_vat(vat, supplier_vat_id=vat_id)


@pytest.mark.parametrize(
    ("vat", "vat_id"),
    [
        (domestic(1900), "DE136695976"),
        (Vat("reverse-charge"), "DE136695976"),
        (Vat("small-business", exemption="§ 19 UStG"), None),
    ],
)
def test_treatments_that_may_be(vat: Vat, vat_id: str | None) -> None:
    assert checked_vat(vat, supplier_vat_id=vat_id) == vat


@pytest.mark.parametrize(
    ("treatment", "supplier", "customer", "said"),
    [
        ("reverse-charge", "DE136695976", "NL123456782B90", ""),
        ("reverse-charge", "DE136695976", None, "names both VAT ids"),
        ("reverse-charge", "DE136695976", "DE115235681", "both VAT ids are of the same one"),
        ("domestic", "DE136695976", None, ""),
        ("small-business", None, None, ""),
    ],
)
def test_a_reverse_charge_crosses_a_border_and_names_both(
    treatment: str, supplier: str | None, customer: str | None, said: str
) -> None:
    found = reverse_charge_obstacle(treatment, supplier=supplier, customer=customer)
    assert said in found
    assert bool(found) == bool(said)


@pytest.mark.parametrize("series", ["SB-", "SB-LM-", "A1-2026-", "0-"])
def test_a_series_is_words_of_capitals_and_digits(series: str) -> None:
    assert numbered(checked_series(series), 7) == f"{series}0007"


@pytest.mark.parametrize(
    "series", ["", "SB", "sb-", "SB--", "-SB-", "SB-1-2-", "SB-ÄB-", "SB- ", "ABCDEFGHIJK-", "../-"]
)
def test_other_series_are_refused(series: str) -> None:
    with pytest.raises(InvalidAgreement, match="such as SB-LM-"):
        checked_series(series)


@pytest.mark.parametrize(
    ("from_on", "months", "end"),
    [
        (date(2026, 10, 1), 12, date(2027, 10, 1)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2026, 11, 15), 60, date(2031, 11, 15)),
    ],
)
def test_an_agreement_may_run_to_the_same_day_some_months_on(from_on: date, months: int, end: date) -> None:
    assert latest_end(from_on, months) == end


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("de 136.695.976", "DE136695976"),
        ("EL 094259216", "EL094259216"),
        ("NL123456782B90", "NL123456782B90"),
        ("GB980780684", "GB980780684"),
        ("CHE-107.787.577 MWST", "CHE107787577MWST"),
        ("NO 995 525 828 MVA", "NO995525828MVA"),
    ],
)
def test_a_vat_id_is_kept_in_one_form_with_its_country(text: str, kept: str) -> None:
    assert checked_vat_id(text) == checked_vat_id(kept) == kept


@pytest.mark.parametrize(
    "text", ["", "DE", "DE136695977", "136695976", "US123456789", "ÄÄ136695976", "DE１３６６９５９７６"]
)
def test_what_no_country_gives_is_refused(text: str) -> None:
    with pytest.raises(InvalidVatId, match="with its country, such as DE136695976"):
        checked_vat_id(text)
