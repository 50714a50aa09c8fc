"""The page for people: one file without network, its data as JSON in it, made by page.py, drawn by script/."""
