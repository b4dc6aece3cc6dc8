"""All tests; every one that needs a database runs against a real one."""
