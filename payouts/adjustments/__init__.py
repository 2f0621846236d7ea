"""Adjustments: what moves a maintainer's payable besides the month's earnings and payouts, one explained line each.

A correction mends an earlier month, which it names; it is posted in an open one and charged to the package's fund as
far as that reaches, like an earning, or to the firm's residual. An advance is payable now and recovered later: the
close of each month recovers, by the rule in the pay terms, at most what is outstanding and at most what the month
earned. Withholding keeps back what the law has the firm pay to the tax authority instead. A fee is what a rail took
for a payout, where the terms let the payee bear it.

The amount of an adjustment is what it does to the payable: positive is owed to the maintainer. Each has a number and
is one entry in the books with a source of its own. None is ever changed; a reversal is a further adjustment that
refers to the first, once, and takes back exactly its amount. Advances are the lead's alone, and so is what exceeds
the firm's limit for one maintainer in one month. A payable that an adjustment makes negative is carried: nothing is
paid out until what is earned has made up for it.
"""
