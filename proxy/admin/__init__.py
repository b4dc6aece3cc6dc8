"""The control plane: who may change the flags, on what evidence, and what is on record."""
