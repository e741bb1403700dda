"""Collecting odd-one-out judgments: schedules and their forecast, a server that assigns blocks and never loses an answer, its export."""
