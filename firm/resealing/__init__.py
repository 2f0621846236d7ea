"""Resealing: what is sealed at rest, opened and sealed again under the newest key.

Keys have ids and stand in CHAMBERS_SECRET_KEYS, newest first: the first seals, all open. After a new key has been put
in front, a rotation seals every value anew, in small transactions; one that was interrupted goes on where it stopped,
because a value says which key has sealed it. When it has ended, the old key may be taken out of the setting.

No value changes by it: whoever reads the books finds the same account numbers, and the database lets a sealed value
change only together with its key's id.
"""
