"""The application for a WSGI server: `gunicorn wsgi:app`. Settings come from the environment."""

import sys

from api.app import create_app
from firm.errors import Misconfigured
from firm.settings import load

try:
    app = create_app(load())
except Misconfigured as error:
    # One sentence for whoever starts the server, not a trace.
    sys.exit(error.message)
