"""One module a group of protocol methods; the folder is the registry.

Each module has `register(server)`, which attaches its handlers. Adding a method is adding a file.
"""
