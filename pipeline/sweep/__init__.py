"""The stages of a sweep: check every job, show the plan, launch, print the results."""
