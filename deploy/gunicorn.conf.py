"""Gunicorn for a server of your own. Everything comes from `api.serving`; what you set below it wins.

gunicorn --config deploy/gunicorn.conf.py
"""

from api.serving import *  # noqa: F403 (its names are gunicorn's settings)

# Behind nginx on the same machine a socket file needs no port and is open to the proxy alone. Without a proxy, use
# "127.0.0.1:8000".
bind = "unix:/run/chambers/api.sock"
