"""A sealed plan, told to a reviewer: as Markdown, as a page, as data."""
