"""The flags: what they mean, the copy that a worker goes by, and how they are changed."""
