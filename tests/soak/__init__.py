"""What becomes of a worker that has served for long."""
