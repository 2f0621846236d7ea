"""The application for a WSGI server: `gunicorn wsgi:app`. Settings come from the environment."""

from api.app import create_app
from firm.settings import load

app = create_app(load())
