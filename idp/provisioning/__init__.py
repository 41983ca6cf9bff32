"""Carrying out what the orders want in every target system (design, decision 8).

`sweep` finds what is due, `carry_out` does it: `converge` for a task, `deliver` for a mail, `tell_client` for the end of
a session.  Two engines call them: on SQLite a runner in this process (`runner`), on PostgreSQL Procrastinate on as many
machines as wanted (`queue`).
"""
