"""Secrets in source code."""
