"""Models: layers in a row (`sequential`) or in a graph (`functional`).

`network` is what both do: predict, describe themselves, take weights. `node_order` is the
order in which a graph is computed and in which its layers are listed.
"""
