"""The history of each thing that the API shows: which records of the audit log speak of it.

A record names one subject. Much is made or changed together with others, by an act on something wider: a month's
invoices, a run's payouts, a file's lines. `traces` says for each kind of thing which records are about it, its own and
those of such acts; `kinds` is the table of the kinds; `resolving` finds what somebody means by an id, a name, a
number of a paper, a month or an address of this API.

The first record of a history is the one that made the thing, and no thing that a route shows has an empty one.
"""
