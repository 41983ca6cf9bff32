"""Pages of the HR department."""
