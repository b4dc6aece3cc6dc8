"""What standing between a shop and its databases costs: `make bench` measures it, ratio by ratio."""
