"""Destinations: where a maintainer's pay goes, and over which rail.

A change is a *proposal* that a second person confirms; the first destination of a maintainer is one too. A firm of one
person may confirm its own with the switch for sole approval, and the audit record then says so. A proposal is
confirmed, rejected, withdrawn by its proposer, or expires. From its confirmation on a destination is in force, and from
`usable_from` on it is live: a change cools off first, so that whoever did not ask for it hears of it before money
moves. The very first destination of a maintainer does not.

What must always be true: nobody is paid while a change is proposed or cooling off, neither to the new destination nor
to the old one. At most one destination of a maintainer is in force and at most one is proposed. Whoever proposes does
not confirm. A row never changes but for its state and who decided it; the moment from which it may be used is fixed
once. When a change is proposed and when it is confirmed, a notice goes in the same commit to the address that the
maintainer had before it, and to every later one.

An IBAN is checked, sealed at rest and shown by its last four characters only; each opening of it is on record with who
opened it and why.
"""
