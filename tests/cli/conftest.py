"""Modules that bind functions by name when they are imported are imported before a test replaces one of these functions.

Commands import them when they run; first imported while a function is replaced, they would keep the replacement.
"""

import bgs.api.auditing
import bgs.api.evaluating
import bgs.api.planting
import bgs.api.quickstarts
import bgs.experiments.grid  # noqa: F401
