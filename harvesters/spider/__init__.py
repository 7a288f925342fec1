"""The spider of all harvests: frontier, pace, robots.txt, address guard, Scrapy, and the archive of what comes."""
