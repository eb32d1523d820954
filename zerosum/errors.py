"""The one exception that is meant for people: it says what is wrong, where, and what to do."""


class UserError(Exception):
    """Something the user can mend. The command line prints it as one line and exits with code 2."""
