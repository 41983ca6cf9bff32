"""The main job as a story one can watch: an order comes in, a person signs in, another order closes everything.

Everything is real but the people: the service runs as in production (web processes and worker), the target systems are
stand-ins on loopback, HR signs its orders, mail goes by SMTP to a local outbox.
"""
