"""Places: shapes, neighbours, distances and lookups, without SQL or screen."""
