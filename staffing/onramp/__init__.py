"""The on-ramp: the dated stages from junior to own firm.

Stages follow one another: shadowing, assigned, owning, pre-committed, ready, spun off; each begins on a day. A
pre-commitment letter is a prospect's signed promise to retain the junior's future firm; it counts from its
signature until it expires or is withdrawn. Ready means: three valid letters (a setting), a runway plan on record,
and the stage of owning at least. The spin-off itself is a later issue.
"""
