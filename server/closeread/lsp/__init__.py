"""The language server: the only part of Closeread that knows the Language Server Protocol."""
