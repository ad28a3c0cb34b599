"""What instruments make of the planet: numbers on their own grids, and the truth behind them."""
