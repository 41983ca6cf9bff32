"""SCIM 2.0 for HR systems (RFC 7643, RFC 7644); loaded only where it is switched on."""
