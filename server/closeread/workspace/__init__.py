"""The files of a project, read with suspicion: nothing here is executed, imported or trusted."""
