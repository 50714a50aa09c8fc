"""What the sections of a guest's answer mean: text in, values out."""
