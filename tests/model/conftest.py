from server.lsp.conftest import start

__all__ = ["start"]
