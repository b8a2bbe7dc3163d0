"""The one exception of the local stack; `setup.py` uses it before anything is installed."""


class StackUnavailable(Exception):
    """The local stack cannot be had or did not come up; the text says what to do about it."""
