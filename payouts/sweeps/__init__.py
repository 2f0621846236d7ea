"""When the log of a provider was last read whole, and what waits for that.

A **sweep** asks a provider for everything that happened since some moment and brings our rows to it
(`payouts.provider_events.sweeping`). Here is only its row: from when until when it looked, when it began and ended.
The end of the newest finished sweep is where the next one begins, less a day of overlap.

What must always be true: after books were restored, nothing is sent over a provider before a sweep of it has begun
later than the restoration, and has ended. The books may say "planned" of what left after the backup was taken; only
the provider knows. The database refuses the attempt too.
"""
