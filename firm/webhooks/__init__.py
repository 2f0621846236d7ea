"""Webhooks out: programs of others learn that something happened here, soon and surely.

An endpoint is an address that the lead registered, with the types of event it wants and a secret that signs what it is
sent. An event is one row of the catalogue come true: a type, a version, a moment, and the id of what it happened to.
It carries no names, amounts or texts: who wants to know more asks the API, under their own rights.

Events are derived from audit records. A trigger of the database notes each record in an outbox, in the same commit,
while any endpoint is enabled; nothing can be skipped, in whatever order transactions commit, and writers do no more
than that. A worker takes the notes and makes events, deliveries (an event for an endpoint) and jobs of them.

A delivery is tried for about three days. It succeeds with any 2xx; each try is logged with its moment, status and
duration. When the last one fails, the endpoint is disabled, with an audit record. A delivery may be replayed: the
message keeps its id, by which receivers tell that they have it already. Order is not promised, at least once is.

Messages follow the Standard Webhooks headers. They only ever leave for public addresses, asked for once and connected
to as answered: see `firm.webhooks.addresses` and `firm.webhooks.sender`.
"""
