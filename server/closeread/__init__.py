"""Closeread: the language server and the command line."""


def version() -> str:
    """The version that is installed."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("closeread")
    except PackageNotFoundError:
        return "0+unknown"
