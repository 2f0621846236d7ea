"""Payout runs: what is payable becomes payments, prepared by one person and approved by another.

A run is drafted from the payables in the books, proposed, approved, released and settled. A payout is one payment
to one maintainer over one rail: planned, reserved (the run was approved and the books moved it from payables to in
transit), sending, sent, settled; or refused or returned, which makes the money payable again; or unknown, which
only a look-up ends; or canceled with its run. A payout's amount, payee and destination never change; to change
something, cancel the run and draft another one.

What is approved is what is sent: the approval is bound to a digest of all amounts, payees and destinations. Each
sending is an attempt, written down with its idempotency key before the call leaves the house. A maintainer has at
most one payout between planned and sent.
"""
