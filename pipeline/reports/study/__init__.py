"""The report of a sweep: runs read back, statistics over seeds, verdict, figures, page."""
