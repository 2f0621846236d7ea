"""Examples of every body: the worked month's values, put together by the schemas' own shape.

A field's example is looked up as "Schema.field", then by the field's name alone; enumerations, months, dates,
moments and money need none. An id's example is its schema's prefix and one ULID for all. `finding` looks; the other
modules hold what is found, by what it is an example of: `FIELDS` and `PREFIXES` each, no key in two of them.
"""
