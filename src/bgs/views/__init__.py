"""How results look in a terminal, in plain text and in a notebook: the same tables everywhere."""
