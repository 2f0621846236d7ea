"""Importing files: all lines or none, each refusal by line, nothing twice, and a check that writes nothing."""

from __future__ import annotations

import hashlib
import json
import threading
import time

import pytest
from flask import Flask
from sqlalchemy import text

from firm.csvfile.reading import UnreadableFile, read
from firm.db import reading
from firm.intake.report import ImportRefused, Refusal, Report
from payouts import imports, month_end
from payouts.imports import KINDS, UnknownKind
from staffing.maintainers import operations as maintainers
from tests import lovelace
from tests.examples.refusals import all_rows
from tests.files import FILES
from tests.lovelace import AFTER, BEFORE, LEAD, OCTOBER


@pytest.fixture
def firm(app: Flask) -> Flask:
    """The worked firm, typed in by hand."""
    lovelace.set_up()
    return app


def take_in(kind: str, *lines: str) -> Report:
    return imports.import_file(kind, "\n".join(lines).encode(), by=LEAD, now=BEFORE)


def check(kind: str, *lines: str) -> Report:
    return imports.check(kind, "\n".join(lines).encode(), by=LEAD, now=BEFORE)


def refusals(kind: str, *lines: str) -> list[Refusal]:
    """What refuses the file, the same for a check and an import, which leave every table as it was."""
    before = all_rows()
    checked = check(kind, *lines)
    with pytest.raises(ImportRefused) as caught:
        take_in(kind, *lines)
    assert all_rows() == before
    assert caught.value.report == checked
    assert checked.total == checked.new + checked.known + checked.refused_lines
    assert all(found.sentence.endswith(".") for found in checked.refused)
    return checked.refused


def one_refusal(kind: str, *lines: str) -> tuple[int, str, str]:
    [found] = refusals(kind, *lines)
    return found.line, found.column, found.sentence


def rows(query: str) -> list[tuple[object, ...]]:
    with reading() as session:
        return [tuple(row) for row in session.execute(text(query))]


def test_a_check_leaves_every_table_as_it_was(firm: Flask) -> None:
    before = all_rows()
    report = check("clients", "name,country", "Initech,US", "Acme,US")
    assert (report.total, report.new, report.known, report.refused, report.id) == (2, 1, 1, [], None)
    assert all_rows() == before


def test_all_lines_come_in_with_one_commit_and_their_records(firm: Flask) -> None:
    raw = "name,country,address,requires_po\nInitech,US,,yes\nHooli,GB,1 High Street,no\nAcme,US,1 Main Street,no\n"
    report = imports.import_file("clients", raw.encode(), by=LEAD, now=BEFORE)
    assert (report.total, report.new, report.known) == (3, 2, 1)
    assert rows("SELECT name, country, address FROM client ORDER BY name") == [
        ("Acme", "US", "1 Main Street"),
        ("Globex", "US", "1 Main Street"),
        ("Hooli", "GB", "1 High Street"),
        ("Initech", "US", ""),
    ]
    digest = hashlib.sha256(raw.encode()).hexdigest()
    [(verb, actor, facts)] = rows(f"SELECT verb, actor, facts FROM audit_record WHERE subject = '{report.id}'")
    assert (verb, actor) == ("file.imported", "lead")
    assert json.loads(str(facts)) == {"kind": "clients", "sha256": digest, "lines": 3, "new": 2, "known": 1}
    made = "SELECT a.verb FROM audit_record a JOIN client c ON c.id = a.subject WHERE c.name IN ('Initech', 'Hooli')"
    assert rows(made) == [("client.registered",)] * 2


def test_every_refused_line_is_named_at_once(firm: Flask) -> None:
    found = refusals(
        "clients",
        "name,country,requires_po",
        "Initech,usa,maybe",
        "Hooli,GB,no",
        "Umbrella",
        "Acme,DE,yes",
        ",US,no",
        "=1+1,US,no",
    )
    assert [(each.line, each.column, each.text) for each in found] == [
        (2, "country", "usa"),
        (2, "requires_po", "maybe"),
        (4, "", ""),
        (5, "country", "DE"),
        (6, "name", ""),
        (7, "name", "=1+1"),
    ]
    assert "two capital letters" in found[0].sentence
    assert "known already with country US, not DE and requires_po no, not yes" in found[3].sentence
    assert found[4].sentence == "Fill in this cell."
    assert "formula" in found[5].sentence


def test_a_column_that_is_left_out_contradicts_nothing(firm: Flask) -> None:
    assert check("clients", "name,country", "Acme,US").known == 1
    assert one_refusal("clients", "name,country,address", "Acme,US,")[1] == "address"


def test_the_same_thing_twice_in_a_file_is_there_once(firm: Flask) -> None:
    report = take_in("packages", "name,ecosystem,folder", "rage,Rust,/rage/", "rage,Rust,rage")
    assert (report.new, report.known) == (1, 1)
    assert rows("SELECT name, folder, state FROM package WHERE name = 'rage'") == [("rage", "rage", "adopted")]
    line, column, sentence = one_refusal("packages", "name,ecosystem", "sops,Go", "sops,Rust")
    assert (line, column) == (3, "ecosystem")
    assert "known already with ecosystem Go, not Rust" in sentence


def test_a_guarded_name_is_restored(firm: Flask) -> None:
    take_in("packages", "name,ecosystem", "'@babel/core,npm", "'=odd,npm", "@swc/core,npm")
    names = rows("SELECT name FROM package WHERE ecosystem = 'npm'")
    assert sorted(names) == [("=odd",), ("@babel/core",), ("@swc/core",)]


PEOPLE = "name,email,country,grade,works_as"


def test_an_address_that_is_somebody_else_s_is_refused(firm: Flask) -> None:
    line, column, sentence = one_refusal("maintainers", PEOPLE, "G. Hopper,GRACE@lovelace.example,US,junior,employee")
    assert (line, column) == (2, "email")
    assert "belongs to Grace" in sentence
    twice = ["Linus,linus@x.example,FI,lead,owner", "Linux,linus@x.example,FI,lead,owner"]
    line, column, sentence = one_refusal("maintainers", PEOPLE, *twice)
    assert (line, column) == (3, "email")
    assert "belongs to Linus" in sentence


def test_a_name_that_is_somebody_s_alias_is_refused(firm: Flask) -> None:
    maintainers.add_alias("Grace", name="Amazing Grace", by=LEAD, now=BEFORE)
    line, column, sentence = one_refusal("maintainers", PEOPLE, "Amazing Grace,other@x.example,US,junior,employee")
    assert (line, column) == (2, "name")
    assert "alias of another maintainer" in sentence


def test_a_known_person_may_be_listed_under_another_of_their_addresses(firm: Flask) -> None:
    maintainers.add_alias("Grace", email="grace@home.example", by=LEAD, now=BEFORE)
    assert check("maintainers", PEOPLE, "Grace,grace@home.example,US,junior,subcontractor").known == 1
    line, column, sentence = one_refusal("maintainers", PEOPLE, "Grace,new@x.example,US,lead,subcontractor")
    assert (line, column) == (2, "grade")
    assert "grade junior, not lead" in sentence
    assert "email grace@lovelace.example, not new@x.example" in sentence


def test_an_imported_person_is_attributed_by_both_aliases(firm: Flask) -> None:
    take_in("maintainers", PEOPLE, "Linus,Linus@X.example,FI,lead,owner")
    query = "SELECT a.kind, a.value FROM alias a JOIN maintainer m ON m.id = a.maintainer_id WHERE m.name = 'Linus'"
    assert sorted(rows(query)) == [("email", "linus@x.example"), ("name", "linus")]


AGREED = "client,tier,fee,currency,cycle,starts_on,interests"


def test_engagements_come_in_as_drafts(firm: Flask) -> None:
    take_in("engagements", AGREED, "Acme,gold,12000.00,EUR,monthly,2027-10-01,ssh:no:24; age:yes:3")
    assert rows("SELECT state, fee_minor, currency, notice_days FROM engagement WHERE currency = 'EUR'") == [
        ("draft", 1_200_000, "EUR", 90)
    ]
    query = "SELECT i.may_stop, i.months_to_replace FROM interest i JOIN engagement e ON e.id = i.engagement_id"
    assert sorted(rows(f"{query} WHERE e.currency = 'EUR'")) == [(0, 24), (1, 3)]


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ("Hooli,gold,1.00,USD,monthly,2026-11-01,", "client", "no client 'Hooli'; import clients first"),
        ("Acme,tin,1.00,USD,monthly,2026-11-01,", "tier", "no tier 'tin'"),
        ("Acme,gold,0.00,USD,monthly,2026-11-01,", "fee", "above zero"),
        ("Acme,gold,1.005,USD,monthly,2026-11-01,", "fee", "2 decimal digits"),
        ("Acme,gold,1.00,JPY,monthly,2026-11-01,", "fee", "0 decimal digits"),
        ("Acme,gold,1.00,XXQ,monthly,2026-11-01,", "currency", "ISO 4217"),
        ("Acme,gold,1.00,USD,weekly,2026-11-01,", "cycle", "monthly, quarterly, yearly"),
        ("Acme,gold,1.00,USD,monthly,2026-11-01,rage:no:1", "interests", "no package 'rage'"),
        ("Acme,gold,1.00,USD,monthly,2026-11-01,ssh:no:1;ssh:no:1", "interests", "names ssh already"),
        ("Acme,gold,1.00,USD,monthly,2026-11-01,ssh", "interests", "ssh:no:24"),
        ("Acme,gold,1.00,USD,monthly,2026-11-01,ssh:true:1", "interests", "yes or no"),
        ("Acme,gold,9000.00,USD,yearly,2026-10-01,", "fee", "known already with fee 10000.00, not 9000.00"),
        ("Acme,gold,10000.00,USD,yearly,2026-10-01,ssh:yes:24", "interests", "known with no:24 for ssh, not yes:24"),
    ],
)
def test_an_engagement_is_judged_by_the_rules_of_drafting(firm: Flask, line: str, column: str, words: str) -> None:
    number, blamed, sentence = one_refusal("engagements", AGREED, line)
    assert (number, blamed) == (2, column)
    assert words in sentence


WORK = "maintainer,package,role,share,from_on,until_on,paid,override_reason"


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ("Wim,ssh,lead,10%,2026-10-01,,yes,", "maintainer", "no maintainer 'Wim'"),
        ("Grace,rage,lead,10%,2026-10-01,,yes,", "package", "no package 'rage'"),
        ("Grace,age,lead,10%,2026-10-01,,yes,", "share", "100 % of their time is assigned already"),
        ("Grace,age,boss,10%,2026-10-01,,yes,", "role", "lead, co-maintainer, reviewer, shadow"),
        ("Grace,age,lead,0.1,2026-10-01,,yes,", "share", "12.5%"),
        ("Grace,age,lead,10%,2026-10-01,2026-10-01,no,", "until_on", "ends after it starts"),
        ("Grace,age,lead,10%,2026-09-01,2026-10-01,yes,", "package", "No client with a signed engagement"),
        ("Grace,ssh,lead,50%,2026-10-01,,yes,", "share", "known already with share 100%, not 50%"),
    ],
)
def test_an_assignment_is_judged_by_the_rules_of_assigning(firm: Flask, line: str, column: str, words: str) -> None:
    number, blamed, sentence = one_refusal("assignments", WORK, line)
    assert (number, blamed) == (2, column)
    assert words in sentence


def test_lines_of_one_file_share_the_person_s_time(firm: Flask) -> None:
    take_in("maintainers", PEOPLE, "Linus,linus@x.example,FI,lead,employee")
    lines = [f"Linus,{package},lead,40%,2026-10-01,,yes," for package in ("ssh", "age", "staticcheck")]
    line, column, sentence = one_refusal("assignments", WORK, *lines)
    assert (line, column) == (4, "share")
    assert "80 % of their time" in sentence
    assert take_in("assignments", WORK, *lines[:2], lines[2].replace("yes", "no")).new == 3


def test_an_override_opens_the_gate_with_its_reason_on_record(firm: Flask) -> None:
    take_in("packages", "name,ecosystem", "rage,Rust")
    take_in("maintainers", PEOPLE, "Linus,linus@x.example,FI,lead,employee")
    assert one_refusal("assignments", WORK, "Linus,rage,lead,10%,2026-10-01,,yes,")[1] == "package"
    take_in("assignments", WORK, "Linus,rage,lead,10%,2026-10-01,,yes,A client is about to sign")
    assert rows("SELECT state FROM package WHERE name = 'rage'") == [("staffed",)]
    [(facts,)] = rows("SELECT facts FROM audit_record WHERE verb = 'assignment.made' ORDER BY id DESC LIMIT 1")
    assert json.loads(str(facts))["override"] == "A client is about to sign"


PAY = "maintainer,from_month,until_month,currency,guarantee,growth,baseline,cap,fund_shares,fixed_fees"


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ("Wim,2026-11,,USD,1.00,,,,,", "maintainer", "no maintainer 'Wim'"),
        ("Grace,2026-11,,EUR,1.00,,,,,", "currency", "Pay terms are in USD"),
        ("Grace,2026-11,,EUR,0.00,,,,,", "currency", "Pay terms are in USD"),
        ("Grace,2026-11,,USD,1.001,,,,,", "guarantee", "2 decimal digits"),
        ('Grace,2026-11,,USD,"1,234.00",,,,,', "guarantee", "signs between thousands"),
        ("Grace,2026-11,,USD,,10%,,,,", "baseline", "needs the baseline"),
        ("Grace,2026-11,2026-11,USD,1.00,,,,,", "until_month", "end after they begin"),
        ("Grace,2026-09,,USD,1.00,,,,,", "from_month", "September 2026 is closed"),
        ("Grace,2026-11,,USD,,,,,rage=10%,", "fund_shares", "no package 'rage'"),
        ("Grace,2026-11,,USD,,,,,,rage=1.00", "fixed_fees", "no package 'rage'"),
        ("Grace,2026-11,,USD,,,,,ssh=0.4,", "fund_shares", "12.5%"),
        ("Grace,2026-10,,USD,5000.00,10%,12000.00,,,", "guarantee", "known already with guarantee 4000.00, not 5000"),
        ("Ada,2026-10,,USD,,,,,staticcheck=50%,age=1200.00", "fund_shares", "staticcheck=40%, not staticcheck=50%"),
    ],
)
def test_terms_are_judged_by_the_rules_of_setting_them(firm: Flask, line: str, column: str, words: str) -> None:
    number, blamed, sentence = one_refusal("terms", PAY, line)
    assert (number, blamed) == (2, column)
    assert words in sentence


def test_terms_do_not_begin_in_a_closed_month_and_those_known_stay_known(firm: Flask) -> None:
    month_end.close(OCTOBER, by=LEAD, now=AFTER)
    assert check("terms", *FILES["terms"].splitlines()).known == 2
    assert take_in("terms", PAY, "Grace,2026-11,,USD,4500.00,,,,ssh=10%,age=1.00").new == 1


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_template_names_every_column_and_is_read(kind: str) -> None:
    fields = KINDS[kind].row.model_fields
    sheet = read(imports.template(kind).encode(), required=list(fields))
    assert sheet.columns == tuple(fields)
    KINDS[kind].row.model_validate({name: cell for name, cell in sheet.lines[0].cells.items() if cell})


def test_what_is_no_kind_or_no_file_is_a_sentence(firm: Flask) -> None:
    with pytest.raises(UnknownKind, match="one of clients, packages"):
        imports.check("invoices", b"", by=LEAD, now=BEFORE)
    for run in (imports.check, imports.import_file):
        with pytest.raises(UnreadableFile, match="UTF-16"):
            run("clients", "name,country\nAcme,US".encode("utf-16"), by=LEAD, now=BEFORE)


def test_progress_is_told_up_to_the_last_line(firm: Flask) -> None:
    told: list[tuple[int, int | None]] = []
    lines = ["name,ecosystem", *(f"p{number},Go" for number in range(600))]
    raw = "\n".join(lines).encode()
    imports.check("packages", raw, progress=lambda done, total: told.append((done, total)), by=LEAD, now=BEFORE)
    assert told == [(250, 600), (500, 600), (600, 600)]


def test_two_imports_of_one_file_at_the_same_moment_make_each_thing_once(firm: Flask) -> None:
    raw = "\n".join([AGREED, *(f"Acme,gold,{n}.00,USD,monthly,{2030 + n}-01-01,ssh:no:1" for n in range(1, 40))])
    found: list[int] = []

    def run() -> None:
        with firm.app_context():
            found.append(imports.import_file("engagements", raw.encode(), by=LEAD, now=BEFORE).new)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 0, 0, 39]
    assert rows("SELECT COUNT(*) FROM engagement WHERE state = 'draft'") == [(39,)]


def test_ten_thousand_people_come_in_within_seconds(firm: Flask) -> None:
    people = [f"Person {n},person{n}@x.example,US,junior,employee" for n in range(10_000)]
    started = time.perf_counter()
    assert take_in("maintainers", PEOPLE, *people).new == 10_000
    assert take_in("maintainers", PEOPLE, *people).known == 10_000
    assert time.perf_counter() - started < 30
