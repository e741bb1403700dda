"""What ``bench.py`` measures: each part has ``measure(size)``, which returns rows; ``size`` is full, quick or smallest."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "reproduce"))  # page_tables, which all pages share
