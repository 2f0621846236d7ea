"""The OpenAPI document, finished: what the blueprints say, and what stands above all routes.

`document` puts the parts together. `names` gives operations the names that a generated client's functions get,
`examples` the values of the worked month, `answers` every status with its headers, and `problems` the list of all
problem types, read from the classes that raise them. The same tables describe a resource that is added later.
"""
