"""What the documentation says is what works: its generated pages, its links, its commands and the site."""
