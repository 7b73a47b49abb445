"""The one exception that a person is meant to read."""


class InputError(Exception):
    """Something that the caller gave cannot be used.

    The message is one sentence or two: what is wrong, where, and what would be right. Commands print it without a
    traceback and exit with status 2; whoever raises it has changed nothing.
    """
