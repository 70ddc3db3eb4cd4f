"""A made-up week of a support assistant: the shop, its traffic, and two incidents in it."""
