"""The proxy: a dispatcher of calls between two databases, with its edge, its flags and its services."""

from typing import Final

VERSION: Final = "0.1.0"
"""The version, as `pyproject.toml` has it."""
