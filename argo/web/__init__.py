"""The web server: reads each request completely before a thread handles it, under deadlines."""
