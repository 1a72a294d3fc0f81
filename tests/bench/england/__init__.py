"""All of England, simulated on real shapes: places, files, and the command that loads them."""
