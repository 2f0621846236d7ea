"""Exchange rates: one rate a month and currency, into the currency of the books.

A rate is how many units of the books' currency one unit of the other is worth, as a decimal string with at most
eight places ("1.0850"), kept as an integer of hundred-millionths. It is entered by a person, who names where it
comes from, and never changes once a month has used it. Revenue billed in another currency is recognized at the
rate of its month; gains and losses between invoice and receipt are a later issue.
"""
