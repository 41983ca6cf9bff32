"""Faults planted in the provisioning engine as it runs in earnest, each with its figure (docs/faults.md)."""
