"""Collecting odd-one-out judgments: schedules and their forecast, a server that never loses an answer, the export."""
