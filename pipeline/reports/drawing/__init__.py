"""The common look of pages and figures: colours, text, shapes; light and dark."""
