"""Tables of results: the same in a terminal, as plain text and in a notebook."""
