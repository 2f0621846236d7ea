"""Rails: the ways to pay, behind one Protocol.

A rail sends one payment order, finds out what became of one, and describes what it can do. An order carries an
idempotency key that was committed before the call. The outcome is a value: sent, refused (definitely not paid) or
unknown (nobody can say; it is looked up, never sent again). A file rail sends by adding the order to its file,
which leaves the house only when a person downloads it and gives it to the bank.

`rail.py` holds the Protocol and its values; one module or package a rail. Stripe Connect and ACH come with later issues
and implement the same Protocol.
"""
