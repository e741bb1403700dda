"""The study over HTTP: FastAPI routes on what :mod:`bgs.collection` does."""
