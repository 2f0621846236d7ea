"""The differences between our books and what a rail says, as rows, and whom an open one keeps from being paid.

Comparing opens and resolves them (`payouts.reconciliation`), far above; the rows stand here below the runs, because a
run asks for them. A difference is an **incident** where somebody may have been paid already: a transfer that no payout
here asked for, or one that stands beside the transfer by which its payout left. While it is open its payee is held.
Taken back, it is found no longer; explained, it was a person who looked: either way the payee is free again.
"""
