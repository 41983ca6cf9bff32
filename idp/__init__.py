"""The service: accounts, sign-in and provisioning.  `idp/app.py` wires it together; nothing else does."""
