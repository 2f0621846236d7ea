"""Pay terms: one maintainer's dated terms, negotiated one by one.

Terms begin with a month and run until the next ones begin or they end. They may hold a guarantee (a monthly amount
owed whether or not clients have paid), a growth share (a rate on the month's retainer revenue above a baseline,
with a cap that caps growth only), shares of package funds (a rate on what the month allocated to the package), and
fixed fees for packages. All parts add up; "no formula" means that the parts differ for each person and that each
result is explained. They also say how advances are recovered (a rate on what a month earned, or a fixed amount a
month) and who bears what a rail takes for a payout. Terms are in the currency of the books; other currencies come
with a later issue.

Terms that were written down wrongly are corrected by others from the same month on, while that month is open and its
close has not begun: the wrong ones are superseded and stay on record, with the reason. Of one person's terms from one
month one version is in force.
"""
