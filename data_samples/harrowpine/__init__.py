"""The made-up shop Harrow & Pine Outfitters: its texts, its customers, and how its assistant answers them."""
