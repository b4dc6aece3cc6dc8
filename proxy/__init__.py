"""The proxy: routing, dual reads and writes, control, and the process around them."""
