"""`tfrs-pipeline db`: start, stop, migrate and look at the database."""

import json
from typing import TYPE_CHECKING, Any

import click

from tfrs_pipeline.commands.options import json_option, quiet_option
from tfrs_pipeline.progress import Progress

if TYPE_CHECKING:
    import psycopg


@click.group("db")
def command() -> None:
    """Start, stop, migrate and look at the database.

    With DATABASE_URL set, that database is used; otherwise a Postgres with pgvector in .local/postgres, which runs as
    long as a command uses it.

    Example: tfrs-pipeline db start && tfrs-pipeline db status
    """


@command.command("start")
@json_option
@quiet_option
def start(as_json: bool, progress: Progress) -> None:
    """Start the embedded Postgres, to stay until `db stop`.

    Example: psql "$(tfrs-pipeline db start --quiet)"
    """
    from tfrs_pipeline.data import embedded
    from tfrs_pipeline.data.opening import given_url, open_database

    with open_database(progress):
        if given_url() is None:
            embedded.stay(embedded.home())
            address = embedded.status(embedded.home()).url
        else:
            progress.say("DATABASE_URL is set, so its database is used, and it answers. Nothing was started.")
            address = None
    if as_json:
        click.echo(json.dumps({"running": True} | ({"address": address} if address else {})))
    elif address:
        click.echo(address)


@command.command("stop")
@json_option
@quiet_option
def stop(as_json: bool, progress: Progress) -> None:
    """Stop the embedded Postgres; while a command uses it, it stops with that command.

    Example: tfrs-pipeline db stop
    """
    from tfrs_pipeline.data import embedded

    stopped = embedded.stop(embedded.home())
    if as_json:
        click.echo(json.dumps({"running": not stopped}))
    elif not stopped:
        progress.say("Another command uses the database; it stops when that command ends.")


@command.command("migrate")
@click.option("--plain-postgres", is_flag=True, help="First make what Supabase would bring: roles and auth.uid().")
@json_option
@quiet_option
def migrate(plain_postgres: bool, as_json: bool, progress: Progress) -> None:
    """Apply what is missing of sql/ to the database.

    Example: DATABASE_URL=postgresql://postgres:PASSWORD@HOST:5432/postgres tfrs-pipeline db migrate
    """
    from tfrs_pipeline.data.database import check_training_views
    from tfrs_pipeline.data.migrations import migrate as apply_missing
    from tfrs_pipeline.data.opening import given_url, open_database

    with open_database(progress, migrated=False) as connection:
        applied = apply_missing(connection, progress, embedded=plain_postgres or given_url() is None)
        check_training_views(connection)
    if as_json:
        click.echo(json.dumps({"applied": [migration.path.name for migration in applied]}))
    elif not applied:
        progress.say("Nothing to apply: the database is up to date.")


@command.command("status")
@json_option
@quiet_option
def status(as_json: bool, progress: Progress) -> None:
    """Tell where the database is and what it holds; starts nothing.

    Example: tfrs-pipeline db status --json
    """
    from tfrs_pipeline.data import embedded
    from tfrs_pipeline.data.database import connect, redact, sentences
    from tfrs_pipeline.data.opening import given_url

    url = given_url()
    answer: dict[str, Any]
    if url:
        answer = {"database": "DATABASE_URL", "address": redact(url), "running": True}
    else:
        server = embedded.status(embedded.home())
        url = server.url
        answer = {"database": "embedded", "folder": str(server.folder), "running": server.running}
        if server.running:
            answer |= {"address": url, "stays": server.stays}
    if url:
        with connect(url) as connection, sentences():
            answer |= _holdings(connection)
    if as_json:
        click.echo(json.dumps(answer))
        return
    for name, value in answer.items():
        click.echo(f"{name.replace('_', ' ')}: {_readable(value)}")


def _holdings(connection: "psycopg.Connection") -> dict[str, Any]:
    """Which migrations the database lacks and how many rows there are to learn from, where that can be told."""
    from tfrs_pipeline.data.database import check_training_views
    from tfrs_pipeline.data.migrations import missing_migrations
    from tfrs_pipeline.errors import InputError

    holds: dict[str, Any] = {"missing_migrations": [one.path.name for one in missing_migrations(connection)]}
    try:
        check_training_views(connection)
    except InputError as problem:
        return holds | {"problem": str(problem)}
    for name in ("videos", "likes"):
        row = connection.execute(f"select count(*) from public.training_{name}").fetchone()
        if row is not None:
            holds[name] = row[0]
    return holds


def _readable(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)
