"""The frame of all pages: the admin site with a navigation by what people do."""
