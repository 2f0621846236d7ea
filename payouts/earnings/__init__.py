"""Earnings: what each maintainer earned in a month, line by line, each explained and charged.

A line has a kind (guarantee, growth share, fund share, fixed fee), the package it concerns, an amount and a
sentence that explains it. Guarantees and growth are spread over the month's paid assignments by share of time. A
line is charged to its package's fund as far as the fund reaches; what it cannot cover is borne by the firm's own
residual. Funds are drawn in a fixed order: by package, then kind (guarantees first), then maintainer.

In the books each maintainer's month is one entry, pay against payables, and each month's use of funds is one
entry. After them the close takes its deductions, which are adjustments: advances recovered and tax withheld. What
nobody earned stays the firm's residual: revenue less earnings, part of it set aside in funds.
"""
