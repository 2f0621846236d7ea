"""The firm itself: what its papers say of it, the currency and time zone of its books, and its switches.

There is one profile. Currency, time zone and first month are settled when the firm is established, before the
first entry, and never change afterwards. Whoever prepares a payout run does not approve it; a firm of one
person may switch that off, and the switch and each use of it are in the audit log.
"""
