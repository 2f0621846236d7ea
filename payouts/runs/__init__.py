"""Payout runs: what is payable becomes payments, prepared by one person and approved by others.

A run is drafted from the payables in the books, proposed, approved, released and settled; what changes a proposed run
takes it back to a draft. A payout is one payment to one maintainer over one rail: planned, reserved (the run was
approved and the books moved it from payables to in transit), sending, sent, settled; or refused or returned, which
makes the money payable again; or unknown, which only a look-up ends; or waiting for funds; or canceled. Beside them a
run shows who is held, and what is carried over because it is too small: for the record, and never sent. A payout's
amount, payee and destination never change; to change something, draft another run.

What is approved is what is sent: each approval is a row, bound to a digest of all amounts, payees and destinations, and
the database counts them. Each try to send is an attempt, written down with its idempotency key and its frozen request
before the call leaves the house; a payout has at most one live attempt, and a maintainer at most one live payout in a
currency. `preparation` and `approvals` lead to the release, `sending` goes through a run with `attempts`, `settling`
takes what becomes of a payout afterwards, and `entries` says what each step does in the books.
"""
