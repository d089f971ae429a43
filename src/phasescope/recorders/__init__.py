"""Reading numbers from a torch model while it trains, without disturbing it."""
