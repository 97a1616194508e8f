"""Corporate actions: recognise them, and bring prices from one scale to another."""
