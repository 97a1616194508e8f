"""One signal's whole story: as data, as text for a terminal, and as a page."""
