"""Paying what the books say we owe.

Under dated pay terms each maintainer earns explained lines, charged to package funds; a payout run collects what
is payable, is approved by somebody else than its preparer, and is paid over a rail; a statement accounts for
every cent. `month_end` strings a month together: invoices, recognition, allocation, earnings, close, statements.
"""
