"""What a provider tells us after the fact, and what becomes of it.

An **event** is a provider's message that something has changed: signed, and pushed to our door or found by the sweep.
It is a hint, never a source: its body is written in the version of whoever registered the endpoint, it may come twice,
late, out of order, or not at all. So nothing of it is kept but what it is about, and to **apply** it means to fetch
that thing anew and to bring our rows to its present state.

That makes the order of events meaningless, as it must be: any permutation, with duplicates, ends in the same state.
What is booked is booked once for each id of the provider's (a reversal, a balance transaction), and never taken back.

An event is *stored*, and then *applied*; *ignored*, with the reason (it is about nothing of ours, or about an account
that is none of ours); or *parked*: it names something that is not here yet, and is tried again until a person looks.

The **sweep** runs every day and asks the provider for everything of the last days: what no event has told is found by
it. After books were restored nothing is sent over the provider before a sweep has run.

A payout is settled by the transfer to the payee's account at the provider. Whether it then came to the payee's bank is
said of the **payee payout**, can be taken back by the bank for days, and never leads to a new transfer.
"""
