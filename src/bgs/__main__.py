"""`python -m bgs`, for launchers that start modules (torchrun -m bgs train …)."""

from __future__ import annotations

from bgs.cli.main import main

if __name__ == "__main__":
    main()
