"""Trades the signals of a backtest on one account, in order of time: sizing, limits, and money."""
