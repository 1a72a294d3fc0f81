"""The only SQL: reads by subject, one writer, the tables and their migrations."""
