"""Pages of the responsible officers."""
