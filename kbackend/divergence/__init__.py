"""Where two engines part: one graph on several engines, node by node, each node given the same operands.

Sources: CRADLE (Pham et al., ICSE 2019) and Audee (Guo et al., ASE 2020) compare the layers of models on engines; here
every node of the graph is compared, also backwards, and judged by NumPy in float64.
"""
