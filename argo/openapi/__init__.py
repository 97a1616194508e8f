"""The API's description: the errors that many calls share, and an example of each call."""
