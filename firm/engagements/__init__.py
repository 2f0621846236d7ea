"""Engagements: what a client has signed.

A tier is a versioned catalog entry; an engagement pins the version it was sold on. An engagement is drafted with
its monthly fee, billing cycle, term and notice, names the client's interests in packages, and is signed once. It
cannot be signed without an interest, nor with a clause that the firm never accepts (total assignment of
intellectual property, exclusivity, promised early vulnerability notice). After the signature its terms stand;
it may be ended on a date.

The first and last month of a term are prorated by days. Price and split are apart: nothing here says how the
firm divides the fee.
"""
