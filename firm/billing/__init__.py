"""Billing: invoices, receipts, and recognition.

An invoice bills whole service months of one engagement in advance, one billing cycle at a time; each service
month of an engagement is invoiced at most once. What is invoiced and not earned yet is deferred revenue.
Recognition earns it month by month; each service month is recognized once, in its own month or, when it comes
late, in the open month, naming the one it adjusts. A month that is earned before it could be invoiced (the client
requires a purchase order number that is not there) stands as unbilled revenue until it is. So, at every date and
for every engagement: recognized + deferred - unbilled = invoiced.

A receipt is money that arrived for an invoice, in part or in full, never more than is open. Invoices are numbered
without gaps and never change; names and addresses on them are those at the time of issue.
"""
