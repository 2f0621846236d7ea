"""Who did what, when, through what.

Every write leaves one record in the same commit: the actor, the token and request it came through, the verb
("invoice.issued"), the subject it acted on, and the facts that matter as canonical JSON. Records are only
ever added; the database refuses to change or delete one. A set operation (recognizing a month of a thousand
engagements) leaves one record with its counts and totals, not a thousand.

Facts never hold secrets or bank details: the last four digits at most. Records are numbered by the
database; chaining them by hash behind the commit is the work of a sequencer that a later issue adds, which is
why a record's bytes are canonical already.
"""
