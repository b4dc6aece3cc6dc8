"""The flag page in a real browser."""
