"""Every way in: the HTTP API under `/v1`, the command line, and later the pages.

The outside is translated here and nowhere else: marshmallow reads and writes JSON, Click the command line, and
both call the same use cases. The clock is read here, once per request or command, and `app.create_app` is the only
place where the parts are joined.
"""
