"""Connecting to Postgres, and what its refusals mean in plain words."""

import contextlib
import re
from collections.abc import Iterator

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tfrs_pipeline.data.migrations import missing_migrations
from tfrs_pipeline.errors import InputError

_SECONDS_TO_CONNECT = 10
_SHAPE = "postgresql://USER:PASSWORD@HOST:5432/DATABASE"

# The columns of the two views, which are all that the pipeline reads, with the types that cannot be converted to.
TRAINING_VIEWS: dict[str, dict[str, str | None]] = {
    "training_videos": {
        "id": "uuid",
        **dict.fromkeys(("title", "description", "genres", "maker", "performers", "tags", "price")),
        **dict.fromkeys(("duration_seconds", "thumbnail_url", "published_at", "created_at")),
    },
    "training_likes": {"user_id": "uuid", "video_id": "uuid", "created_at": "timestamp with time zone"},
}


def connect(url: str) -> psycopg.Connection:
    """Connect in autocommit mode.

    Raises:
        InputError: with a sentence that tells the server, the database and the user, and never the password.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # What libpq says here quotes the url, password included; so would the chain of exceptions.
        raise InputError(f"DATABASE_URL is not the address of a Postgres database, such as {_SHAPE}.") from None
    place = _place(given)
    try:
        return psycopg.connect(
            url,
            autocommit=True,
            prepare_threshold=None,  # Poolers hand the next statement to another session.
            connect_timeout=int(given.get("connect_timeout") or _SECONDS_TO_CONNECT),
            application_name="tfrs-pipeline",
        )
    except (psycopg.Error, ValueError, OSError) as error:
        raise InputError(_explain(str(error), given, place)) from None


def redact(url: str) -> str:
    """The address without its password, for people to read."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "an address that is not Postgres's"
    return _place(given)


@contextlib.contextmanager
def sentences() -> Iterator[None]:
    """Turn what a server refuses in the middle of the work, and a person can mend, into a sentence."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise InputError(f"The database refuses: {_said(error)}. Connect as a user with that right.") from error
    except (psycopg.errors.DiskFull, psycopg.errors.IoError) as error:
        raise InputError(f"The database's disk is full or broken: {_said(error)}. Nothing was stored.") from error
    except psycopg.errors.QueryCanceled as error:
        raise InputError(f"The database gave up: {_said(error)}. Raise its time limit and run again.") from error
    except psycopg.OperationalError as error:
        if not (error.sqlstate or "08").startswith(("08", "57P")):
            raise  # Ours to mend: a deadlock, say.
        raise InputError(f"The connection to the database was lost: {_said(error)}. Run again.") from error


def check_schema(connection: psycopg.Connection) -> None:
    """See that every migration of `sql/` has been applied, and that the training views are as the pipeline needs them.

    Raises:
        InputError: naming what is missing.
    """
    missing = missing_migrations(connection)
    if missing:
        names = ", ".join(migration.path.name for migration in missing)
        raise InputError(f"The database has an old schema: it lacks {names}. Run `tfrs-pipeline db migrate`.")
    check_training_views(connection)


def check_training_views(connection: psycopg.Connection) -> None:
    """See that the two views are there with their columns; that is all that reading needs, on anybody's database.

    Raises:
        InputError: naming the view or column that is missing or of a type that does not serve.
    """
    for view, columns in TRAINING_VIEWS.items():
        rows = connection.execute(
            """
            select attname, format_type(atttypid, null) from pg_catalog.pg_attribute
            where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
            """,
            [f"public.{view}"],
        )
        found = {str(name): str(type_name) for name, type_name in rows}
        if not found:
            raise InputError(
                f"The database has an old schema: the view {view} is missing. Run `tfrs-pipeline db migrate`, "
                "or define the view over tables of your own."
            )
        lacking = [name for name in columns if name not in found]
        if lacking:
            raise InputError(
                f"The database has an old schema: the view {view} lacks {', '.join(lacking)}. "
                "Run `tfrs-pipeline db migrate`, or add this to the view if it is your own."
            )
        for name, type_name in columns.items():
            if type_name is not None and found[name] != type_name:
                raise InputError(f"{view}.{name} is {found[name]} and has to be {type_name}. Convert it in the view.")


def _place(given: dict) -> str:
    """Where a connection leads, as far as it can be told without telling a piece of a password.

    A password with a `@` or `/` that was not percent-encoded ends up in the host, port or database.
    """
    host = str(given.get("host") or given.get("hostaddr") or "localhost")
    port, database, user = (str(given.get(name) or "") for name in ("port", "dbname", "user"))
    if not (re.fullmatch(r"[\w.:/, -]*", host) and re.fullmatch(r"[\d,]*", port) and "@" not in database + user):
        return ""
    place = f"{host}:{port or 5432}"
    if database:
        place += f", database {database}"
    return place + (f", user {user}" if user else "")


def _explain(said: str, given: dict, place: str) -> str:
    if not place:
        return (
            f"DATABASE_URL cannot be understood. It should look like {_SHAPE}, "
            "with @, /, : and % in the password written as %40, %2F, %3A and %25."
        )
    if "password authentication failed" in said:
        return f"The database refused the password in DATABASE_URL ({place})."
    if "no password supplied" in said:
        return f"The database asks for a password and DATABASE_URL has none ({place})."
    if "role " in said and "does not exist" in said:
        return f"The database server does not know the user in DATABASE_URL ({place})."
    if "database " in said and "does not exist" in said:
        return f"The server that DATABASE_URL names has no such database ({place})."
    if "failed to resolve host" in said or "could not translate host name" in said:
        return f"The host in DATABASE_URL is not known ({place}). Check its spelling and your connection."
    if "Network is unreachable" in said:
        return (
            f"The server in DATABASE_URL cannot be reached from this network ({place}). "
            "Supabase's direct addresses need IPv6; the address of its session pooler does not."
        )
    if any(sign in said for sign in ("refused", "No such file", "timeout", "timed out", "No route to host")):
        return f"No database server answers at the address in DATABASE_URL ({place}). Is it running?"
    password = str(given.get("password") or "")
    if password:
        said = said.replace(password, "***")
    return f"No connection to the database ({place}): {' '.join(said.split()).rstrip('.')}."


def _said(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error).splitlines()[0]).strip().rstrip(".")
