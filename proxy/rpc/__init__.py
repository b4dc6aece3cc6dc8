"""The RPC listener: HTTP in, checked calls out to the dispatcher, records or problems back."""
