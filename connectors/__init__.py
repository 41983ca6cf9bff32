"""The wires to the target systems: one module per system or protocol.  Nothing here knows of `idp` or `policies`."""
