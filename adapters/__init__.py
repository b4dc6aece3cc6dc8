"""The seam between the proxy and its databases, and two implementations of it."""
