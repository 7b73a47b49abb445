"""Data in: from Postgres, from public data sets or from the demo generator, to one snapshot and its split."""
