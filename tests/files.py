"""The firm of the examples as six files, as somebody keeps them in spreadsheets of different makes."""

from __future__ import annotations

CLIENTS = "name,country,address\r\nAcme,US,1 Main Street\r\nGlobex,US,1 Main Street\r\n"
PACKAGES = "name;ecosystem\nssh;Go\nage;Go\nstaticcheck;Go\n"
MAINTAINERS = (
    "\ufeffname\temail\tcountry\tgrade\tworks_as\n"
    "Grace\tgrace@lovelace.example\tUS\tjunior\tsubcontractor\n"
    "Ada\tada@lovelace.example\tUS\tjunior\tsubcontractor\n"
)
ENGAGEMENTS = (
    "client,tier,fee,currency,cycle,starts_on,subcontracting_allowed,interests\n"
    'Acme,gold,10000.00,USD,yearly,2026-10-01,yes,"ssh:no:24\nage:no:24\nstaticcheck:no:24"\n'
    "Globex,platinum,5000.00,USD,monthly,2026-10-01,yes,ssh:no:24; age:no:24; staticcheck:no:24\n"
)
ASSIGNMENTS = (
    "maintainer,package,role,share,from_on\n"
    "Grace,ssh,lead,100%,2026-10-01\n"
    "Ada,staticcheck,co-maintainer,50%,2026-10-01\n"
    "Ada,age,co-maintainer,50%,2026-10-01\n"
)
TERMS = (
    "maintainer,from_month,currency,guarantee,growth,baseline,fund_shares,fixed_fees\n"
    "Grace,2026-10,USD,4000.00,10%,12000.00,,\n"
    "Ada,2026-10,USD,,,,staticcheck=40%,age=1200.00\n"
)
FILES = {
    "clients": CLIENTS,
    "packages": PACKAGES,
    "maintainers": MAINTAINERS,
    "engagements": ENGAGEMENTS,
    "assignments": ASSIGNMENTS,
    "terms": TERMS,
}
"""In the order of importing; before the assignments, a person signs and the lead sets the plan."""
