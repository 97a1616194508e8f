"""A user's paths in a real browser, over a real `manage.py up`."""
