"""The commands `backup` and `restore`, as a person runs them."""
