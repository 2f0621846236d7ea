"""The SEPA rail: a credit transfer initiation file (pain.001.001.09, ISO 20022) that a person takes to the bank.

The same batch gives the same bytes. What a bank would refuse never gets into a file: an order that is not in euros,
not between 0.01 and 999,999,999.99, not to an account of the scheme, or to a name without a Latin letter is refused
when it is sent, and its money stays payable. The day of execution is a day on which TARGET is open.

Every text is in the characters that all banks of the scheme take: a-z A-Z 0-9 / - ? : ( ) . , ' + and the space
(EPC217-08). Accents are dropped, Greek and Cyrillic letters are written in Latin ones, `latin.py` names the rest of
the replacements; a character without any becomes a full stop. No postal address is written: one that is not
structured is refused since November 2026, and the scheme needs none.

A payment carries two references: its end-to-end id, which is the payout's own id and comes back in what the bank
answers, and a structured creditor reference (ISO 11649) that its payee finds on the account and the remittance advice.
"""
