"""What a sweep shows: runs read back, statistics over seeds, verdict, figures, page."""
