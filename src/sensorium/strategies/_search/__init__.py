"""The parts of a search within a time budget."""
