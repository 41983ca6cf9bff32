"""Pages on the way in and out."""
