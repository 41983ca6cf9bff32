"""What happens: one act per file.  A flow receives `Here` (from where, when, by whom) and plain values, changes rows,
records the act, and returns a value; it never sees a request and never commits."""
