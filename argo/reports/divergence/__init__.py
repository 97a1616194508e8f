"""The signal's own prices, the backtest and the account side by side, in a report and a story."""
