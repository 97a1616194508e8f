"""Why a trade made more or less than its signal promised, and than a backtest makes of it."""
