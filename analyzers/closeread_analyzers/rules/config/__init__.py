"""Settings of applications."""
