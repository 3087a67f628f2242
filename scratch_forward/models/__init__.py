"""Models: `sequential` for layers in a row, `functional` for layers in a graph.

`network` contains what both share: prediction, summaries and loading of weights. `node_order`
defines the order in which a graph is computed and in which its layers are listed.
"""
