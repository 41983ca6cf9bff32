"""Stand-ins of the target systems: real servers on loopback, for the demo and the tests.

Each is a context manager with `url` and ready `settings`, keeps its state in the folder it is given and stops cleanly.
What only a stand-in proved still has to be checked once against the real system.
"""
