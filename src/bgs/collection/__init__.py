"""Collecting odd-one-out judgments: a study folder, a server that assigns blocks and never loses an answer, and its export."""
