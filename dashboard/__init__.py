"""Social prescribing coverage for integrated care boards: what every page shares."""

__version__ = "0.1.0"
