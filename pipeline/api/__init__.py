"""The functions of `import pipeline`: train, runs, load, evaluate."""
