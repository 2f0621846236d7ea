"""Who did what, when, through what.

Every write leaves one record in the same commit: the actor, the token and request it came through, the verb
("invoice.issued"), the subject it acted on, and the facts that matter as canonical JSON. Records are only
ever added; the database refuses to change or delete one. A set operation (recognizing a month of a thousand
engagements) leaves one record with its counts and totals, not a thousand.

Facts never hold secrets or bank details: the last four digits at most. Records are numbered by the database; behind
the commit `sequencer` links them in a chain of hashes, whose head `anchors` keeps outside. `invariants` walks the
chain, and `states` holds each row against what its last record left.
"""
