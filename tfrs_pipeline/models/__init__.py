"""The towers, and the models they are measured against."""
