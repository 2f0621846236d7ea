"""Client companies and their contacts.

A client pays or may pay a retainer. Its contacts have roles: champion, budget holder, procurement, legal,
accounts payable. Some clients take no invoice without a purchase order number; that is known here and obeyed by
billing. No client's name ever appears in another client's documents.
"""
