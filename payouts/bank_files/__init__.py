"""Bank files: what the bank sends back, read into settled and returned payouts.

A file is a status report (pain.002), which says what became of a file of ours, or a statement (camt.053), which says
what moved on the firm's account. It is stored sealed, once, and never changed; the same file again changes nothing.
Each line of it is taken as one thing: settled or returned a payment, a rejection of one, noted (true, and nothing to
do), ignored (not booked), or unmatched: for a person, who resolves it with a note.

What must always be true: a file is stored whole or not at all; it is of the firm's own account, in the books' currency,
and its entries lead from its opening to its closing balance. Only a line that names a payment by its own id, or a whole
file by its message id, moves anything, and only if the amount agrees to the cent. One line settles a payout and one
returns it. Lines are applied one by one, each through the use cases of runs, and each may be applied again: a crash in
between is finished by applying again.
"""
