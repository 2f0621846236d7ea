"""Comparing our books with what the providers say, in both directions, and what is done about the differences.

Every transfer of a provider has exactly one payout here; every payout that left over it has exactly one transfer; their
amounts, destinations and reversed parts agree; and what the books hold at the provider is what the provider says we
have. Rails without a log (a bank file, a person) are compared with time instead: what has been on its way for too long
is a difference too, and so is an outcome that nobody knows for a day.

A **difference** is a row: what it is about, our side, their side, since when, and who looks after it (the **owner**).
It is opened once however often it is found, resolved by itself when a later comparison no longer finds it, or by a
person with a note; what a person has explained stays explained for as long as both sides stay as they were.

Comparing moves no money. What is wrong is mended by the sweep, by a run, or by a person's entry.
"""
