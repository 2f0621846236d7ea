"""Who may come in: principals with one role each, and the bearer tokens they come in with.

A principal is a person or a program with a name of its own; a maintainer's or client's also says whose data it
may see. A token is `chm_` and 160 random bits with a checksum; it is shown once and kept as a SHA-256 digest. It
ends, its scopes may narrow what its principal's role allows, and a revoked one opens nothing from the next
request on. An approval needs proof of presence besides (`presence`). How much a token may ask in a minute is
counted for all workers together (`limits`); what a keyed request was answered is kept (`answers`). What a role may
do is not decided here but in the tables of `api.permissions`.
"""
