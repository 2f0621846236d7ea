"""Papers: figures in, PDF, HTML and JSON bytes out. Knows no database and reads no clock.

Figures are the frozen JSON values of a paper: all it says, with the names and addresses of the day of issue. They
name their kind ("statement", "self-billed-invoice") and the version of the template they were issued with; a template
that was ever used is never edited in a way that changes what it says, a new version is added.

The same figures always give the same bytes, in any process. People's text is data and never markup, in every form;
what cannot be shown (controls, marks that turn the direction of writing) becomes U+FFFD. Only addresses of the web
become links. Nothing is read but our own templates and fonts, and nothing is loaded by who opens a paper.
Every PDF is tagged and archival (PDF/A-3a and PDF/UA-1) as far as Typst can tell; a character no font of ours has is
named by its code point, and the figures are then attached, so that no name is lost.

`papers` is the door; `statement`, `funded_work_report`, `remittance_advice` and `self_billed_invoice` say what each
paper shows, `wording` how amounts, days and links are written, the same in PDF and HTML; `typesetting` runs Typst;
`figures` writes amounts and freezes what a paper says.
"""
