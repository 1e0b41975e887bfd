"""The rules: one document each, and beside a few of them a check. See README.md."""
