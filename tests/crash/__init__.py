"""Processes that die in the middle of a write or a repair, and what the next one makes of it."""
