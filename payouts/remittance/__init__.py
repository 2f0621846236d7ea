"""Remittance advices: what one payout paid for, as the payee's bookkeeping wants it.

A payout takes from what the firm owes a maintainer in the order in which it came to be owed: first what is to be set
off (corrections in the firm's favor), then the oldest earnings. An advice lists these parts; their sum is the payout.
What a payment took and came back is owed again in its old place. The books alone decide: an advice reads the
movements of the payable up to the payout's own reservation, so that it says the same whenever it is issued.

An advice is numbered (series RA), frozen when issued and never changed; there is one for each payout at most. It is
issued after the sending, by a job or on demand, never within it: sending stays fast, and no paper can hold it up. A
payout that was not sent has none. One that came back later keeps its advice, since the payment was made.

Papers are rendered from the frozen figures, the same bytes each time.
"""
