"""A local model: a librarian, a teacher and a mender. It is asked narrow questions and decides nothing alone.

    known.toml known.py     the models we know by name: what their bytes must be, and where they can be had
    gguf.py                 what a model file says of itself, read without loading it
    shelf.py                the models this user has, and the one in use
    download.py             the one module of this package that opens a connection, for `closeread model pull` alone

Without a model, and without the extra that runs one, everything else works as if this folder were not here.
"""
