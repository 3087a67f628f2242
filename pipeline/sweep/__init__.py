"""A sweep's life: check every job, show the plan, launch, close with a table."""
