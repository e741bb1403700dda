"""A page on which the clips of an index are browsed: where they lie on a map, thumbnails, routes, server."""
