"""Taking in files that others wrote: lines become rows, and rows become things of the firm, all of them or none.

A kind is what a file holds one of on each line: clients, packages, maintainers and so on. Each subject knows its
own kind: the columns, as a model of a row, and the desk, which has looked up at once all that it needs to know and
then judges row by row with the rules of the subject's use cases. A row is new, or already known (its natural key is
there and everything the line says agrees), or refused, with the column, the text and a sentence.

One refused line refuses the whole file: whoever mends it gets every refusal at once. A check judges in a
transaction that can write nothing.
"""
