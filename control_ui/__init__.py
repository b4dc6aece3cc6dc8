"""The page with which an operator sees and changes the migration."""
