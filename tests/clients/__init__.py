"""Relying parties as others wrote them sign people in here, over HTTP on loopback, each as its own documentation says.

What a test asserts is what the client itself found, verified and let through.  On SQLite alone: what a client sees of
the service does not depend on the database, and the tests of the provider itself run on both.
"""
