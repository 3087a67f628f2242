"""What a person sees at the terminal: help, plan, progress, results."""
