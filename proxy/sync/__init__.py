"""Sweeps over the whole shop, beside its writers: backfill makes the target equal to the source, verify compares."""
