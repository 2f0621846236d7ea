"""Comma-separated files: read strictly, written so that a spreadsheet runs nothing.

A file comes from outside: what two programs could understand differently is refused with a sentence, never guessed.
Reading knows the form of a file and nothing of what its columns mean. A cell of text that a spreadsheet would take
for a formula is written behind an apostrophe, and the apostrophe is taken away again when the file comes back.
"""
