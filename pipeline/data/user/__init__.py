"""The user's own data sets: CSV files of texts, folders of images."""
