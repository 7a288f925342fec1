"""Web pages as a crawl sees them: URLs, links, sitemaps, feeds, and what is in scope."""
