"""Cryptography."""
