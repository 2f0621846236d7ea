"""Statements: a maintainer's frozen, numbered account of a month.

Opening balance, earnings with their explanations, adjustments that name their month, payouts with their references,
closing balance; under it what could not be paid out or is on its way, what is outstanding of advances, and the
calendar year so far. Its totals are the books' at the end of the month: opening + earned + adjusted - paid = closing.
Figures are stored as canonical JSON with the template's version and never change; papers are rendered from them on
demand or by a job, the same bytes each time. A corrected statement is a new version that refers to the first and says
what differs; its amounts are the same, since a closed month does not move. The first stays readable for ever.
"""
