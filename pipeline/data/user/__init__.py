"""Data sets of a user's own: CSV files of texts, folders of images."""
