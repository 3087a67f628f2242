"""One visual language for pages and figures: colours, letters, shapes; light and dark."""
