"""The admin listener over real HTTP, on real databases."""
