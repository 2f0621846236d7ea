"""The resources of `/v1`: one module a resource, holding its blueprint and its marshmallow schemas.

A view translates in, calls one use case, and translates out. Lists are pages by id; single things answer 404 to
whoever may not see them.
"""
