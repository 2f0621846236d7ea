"""Self-billing: invoices that the firm writes in its suppliers' names, only under a live agreement.

An agreement is one maintainer's written consent, from a day until another (half-open), at most as long as the firm's
setting allows (12 months at first: countries differ, and many ask for yearly renewal). It holds the supplier as then:
legal name, address, VAT id, number series, and how VAT is treated. Either side may end it early. Agreements of one
supplier never overlap, and the database sees to that.

An invoice is issued after the close for the earnings of one statement. It needs an agreement in force on the day of
issue and one in force at the end of the month it bills; otherwise a sentence says which is missing, and nothing is
issued. Its number is the next of the supplier's own series, without gaps, taken in the same transaction. Invoices are
never changed: a credit note takes one back whole, carries its number, and has a number of the same series. After that
the month may be billed again.

Treatments: `domestic` adds VAT at the agreement's rate; `reverse-charge` adds none, says so, and needs both VAT ids;
`small-business` adds none and carries the words of the exemption. The rules are those of Directive 2006/112/EC,
articles 219, 224 and 226 (6 to 11a). VAT is worked out once on the net sum, to the nearest minor unit, halves up.

What the books owe a supplier is the net. The VAT on these papers is not in the ledger yet: that comes with the tax
papers, and until then a firm pays and reclaims it outside of these books.
"""
