"""The rules of the house: pure functions over plain values, each file opening with the clauses it carries out.

Owns every decision the Regulation leaves no choice about.  Leaves alone: databases, HTTP, the clock, chance; time,
holidays, word lists and hashes are handed in.
"""
