"""A Django site whose people sign in by mozilla-django-oidc.

A program of its own (`python -m tests.clients.django_site`), since Django is set up once per process.
"""
