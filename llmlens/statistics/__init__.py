"""Statistics that measures and comparisons share: arrays in, numbers out; nothing here knows traces."""
