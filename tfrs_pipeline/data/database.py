"""Connecting to Postgres, and what its refusals mean in plain words."""

import psycopg


def connect(url: str) -> psycopg.Connection:
    """Connect in autocommit mode."""
    return psycopg.connect(url, autocommit=True)
