"""How good the vectors are: ranking metrics, indexes and the report."""
