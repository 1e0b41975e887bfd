"""Closeread's optional sidecar. Nothing is here yet; see ARCHITECTURE.md for what it will be."""
