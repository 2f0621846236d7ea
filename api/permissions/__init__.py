"""Who may do what, as tables; `api.policy` decides by them.

A permission is the set of roles that may call a route: one line for each route, default deny (`routes`). Roles that
stand together in many lines have a name (`roles`). A command of the command line is bound by the line of the route
that does the same, and so is a file that makes many of one thing (`commands`).

Lines are by endpoint. The roles that see only their own things (maintainer, client) are listed where a part of a
resource is theirs; the views then show them that part and answer 404 for the rest.
"""
