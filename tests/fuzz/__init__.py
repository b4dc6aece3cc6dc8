"""Calls made up from the proxy's own description of itself, good and bad, by schemathesis."""
