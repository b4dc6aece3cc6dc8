"""Fixtures for all tests."""

pytest_plugins = ["tests.servers", "tests.mysql_schema", "tests.sweeping", "tests.workers"]
