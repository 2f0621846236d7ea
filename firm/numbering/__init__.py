"""Numbers without gaps: invoices, statements and reports are numbered per series and year, as the law of most
places asks of invoices.

A number is taken in the transaction that uses it, so that a rollback gives it back; a batch takes a range at
once. The series' row is locked until the commit, which is what makes the numbers gapless.
"""
