"""The composition root: the only place that builds things and that sees both databases' adapters."""
