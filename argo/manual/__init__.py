"""The manual: Markdown pages in `templates/docs/`, served at /docs/."""
