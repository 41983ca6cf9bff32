"""Serve the site on its port until told to stop."""

import os
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: Django tells what went wrong."""


os.environ["DJANGO_SETTINGS_MODULE"] = "tests.clients.django_site.settings"
django.setup()
call_command("migrate", verbosity=0)
make_server("127.0.0.1", settings.PORT, get_wsgi_application(), handler_class=Quiet).serve_forever()
