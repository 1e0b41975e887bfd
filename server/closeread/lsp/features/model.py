"""workspace/executeCommand: the local model.

closeread.restartModel    -> ends the model's process and starts the model that is in use now; see status.py for the answer, null
                             where none is in use
"""

from __future__ import annotations

from typing import Any

from lsprotocol import types

from closeread.model.shelf import ModelProblem

from ..server import Server


def register(server: Server) -> None:
    """Attach the command."""

    @server.command("closeread.restartModel")
    async def restart_model(params: types.ExecuteCommandParams) -> dict[str, Any] | None:
        try:
            facts = await server.assistance.restart()
        except ModelProblem as error:
            server.tell(f"{error}.")
            return server.assistance.facts()
        if facts is None:
            server.tell("No model is in use: `closeread model pull` gets one.", types.MessageType.Info)
        return facts
