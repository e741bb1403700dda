"""How each figure is painted. matplotlib is imported when something is drawn, never before."""
