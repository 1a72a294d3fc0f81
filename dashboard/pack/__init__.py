"""What is taken to a meeting: documents made of what the pages show."""
