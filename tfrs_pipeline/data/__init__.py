"""Data in: from Postgres, from public data sets or from the demo generator, to one consistent snapshot and its split."""
