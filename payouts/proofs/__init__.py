"""Proofs of payment: the document with which a person shows that a payment was made.

A proof is a PDF, PNG or JPEG of at most 5 MB beside the bank's reference, stored sealed, because it shows accounts. It
never changes; a better one becomes the next version, and the newest is the one that is shown. That there is one, its
kind, size and SHA-256, everybody who reads the books may see; the document itself is opened by the office, and each
opening is on record.
"""
