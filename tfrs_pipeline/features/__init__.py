"""Rows to model inputs: one fitted specification, implemented here and, to the same numbers, in TypeScript."""
