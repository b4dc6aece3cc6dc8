"""The shop in MySQL: the source of truth of phases 1 to 4."""
