"""Who may come in: bearer tokens, each with one role.

A token is `chm_` and 160 random bits with a checksum; it is shown once and kept as a SHA-256 digest. It belongs
to a named principal (a person or a program); a maintainer's or client's token also names whose data it may
see. A revoked token opens nothing from the next request on. What a role may do is not decided here but in the
one table of `api.policy`.
"""
