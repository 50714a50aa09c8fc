"""The rules, one file a family. There is no list to extend: every module here is imported."""
