"""Configurations of attention."""

import numpy as np
from layers.table import Bad, Row

QUERY, VALUE, KEY = (3, 4), (5, 4), (5, 4)
#: every query may see a key
PAIRS = np.array([[1, 0, 1, 0, 1], [1, 0, 0, 1, 0], [1, 1, 1, 1, 1]], bool)[None].repeat(2, 0)
MASKED = "what a masked query gives is not defined by it"


def _headed(layer: str, **heads) -> list[Row]:
    """Rows of what the layers with heads have in common."""
    causal, scored = dict(use_causal_mask=True), dict(return_attention_scores=True)
    return [
        Row(layer, heads, QUERY, VALUE),
        Row(layer, heads, QUERY, VALUE, KEY),
        Row(layer, dict(**heads, use_bias=False), QUERY, VALUE, called=scored),
        Row(layer, dict(**heads, use_gate=True), QUERY, VALUE, called=causal),
        Row(layer, dict(**heads, sliding_window=2, use_gate=True), (5, 4), (5, 4), called=scored),
        Row(layer, dict(**heads, sliding_window=2), (None, 4), (None, 4), called=causal),
        Row(layer, heads, QUERY, VALUE, called=dict(attention_mask=PAIRS)),
        Row(layer, heads, QUERY, VALUE, called=dict(attention_mask=PAIRS[0], **causal, **scored)),
        Row(layer, heads, QUERY, VALUE, masked=True, keras=MASKED),
        Row(layer, dict(**heads, flash_attention=True), QUERY, VALUE, called=causal, keras="only on some engines"),
        Row(layer, dict(**heads, dropout=0.5, seed=1), QUERY, VALUE, phase=1, keras="other draws"),
        Row(layer, dict(**heads, kernel_initializer="ones", bias_initializer="ones", kernel_regularizer="l2",
                        bias_regularizer="l1", kernel_constraint="non_neg", bias_constraint="non_neg"), QUERY, VALUE,
            keras="constraints and regularizers do not change the result"),
    ]


# sizes of heads are squares, of which Keras has the root exactly though it keeps it in float32
ROWS = [
    Row("Attention", {}, QUERY, VALUE),
    Row("Attention", dict(use_scale=True), QUERY, VALUE, KEY),
    Row("Attention", dict(score_mode="concat"), QUERY, VALUE),
    Row("Attention", dict(score_mode="concat", use_scale=True), QUERY, VALUE, KEY),
    Row("Attention", dict(use_scale=True), QUERY, VALUE, masked=True),
    Row("Attention", {}, QUERY, VALUE, masked=True, called=dict(use_causal_mask=True, return_attention_scores=True)),
    Row("Attention", {}, (None, 4), (None, 4), called=dict(use_causal_mask=True)),
    Row("Attention", dict(dropout=0.5, seed=2), QUERY, VALUE, phase=1, keras="other draws"),
    Row("AdditiveAttention", {}, QUERY, VALUE),
    Row("AdditiveAttention", dict(use_scale=False), QUERY, VALUE, KEY),
    Row("AdditiveAttention", {}, QUERY, VALUE, masked=True),
    Row("AdditiveAttention", {}, QUERY, VALUE, called=dict(use_causal_mask=True, return_attention_scores=True)),
    Row("AdditiveAttention", dict(dropout=0.5, seed=3), QUERY, VALUE),
    *_headed("MultiHeadAttention", num_heads=2, key_dim=4),
    *_headed("MultiHeadAttention", num_heads=2, key_dim=4, value_dim=2, output_shape=5),
    Row("MultiHeadAttention", dict(num_heads=2, key_dim=4, output_shape=(2, 3)), QUERY, VALUE),
    Row("MultiHeadAttention", dict(num_heads=2, key_dim=4), (2, 3, 4), (3, 2, 4),
        called=dict(return_attention_scores=True)),
    Row("MultiHeadAttention", dict(num_heads=2, key_dim=4, attention_axes=2, use_gate=True), (2, 3, 4), (2, 5, 4),
        called=dict(use_causal_mask=True), keras="its causal mask is that of the first axis"),
    *_headed("GroupQueryAttention", head_dim=4, num_query_heads=4, num_key_value_heads=2),

    Row("Attention", dict(use_scale=True, score_mode="concat"), QUERY, VALUE, masked=True),
    Row("AdditiveAttention", {}, (None, 4), (None, 4)),
    Row("AdditiveAttention", dict(use_scale=False), QUERY, VALUE, masked=True),
]

BAD = [
    Bad("Attention", {}, QUERY, "is called on a list [query, value]"),
    Bad("Attention", dict(score_mode="sum"), [QUERY, VALUE], "score_mode must be one of dot, concat, it is 'sum'"),
    Bad("Attention", {}, [QUERY, (5, 3)], "the features of query and key must be equal, they are 4 and 3"),
    Bad("Attention", {}, [QUERY, VALUE, (6, 4)], "the lengths of value and key must be equal, they are 5 and 6"),
    Bad("AdditiveAttention", {}, [(3, None), (5, None)], "the features of the query must be known"),
    Bad("AdditiveAttention", dict(dropout=2), [QUERY, VALUE], "the rate must be in [0, 1], it is 2"),
    Bad("MultiHeadAttention", dict(num_heads=0, key_dim=2), [QUERY, VALUE], "num_heads must be a positive integer"),
    Bad("MultiHeadAttention", dict(num_heads=2, key_dim=2), QUERY, "needs a query and a value"),
    Bad("MultiHeadAttention", dict(num_heads=2, key_dim=2), [(4,), (4,)], "must be (batch, length, features)"),
    Bad("MultiHeadAttention", dict(num_heads=2, key_dim=2), [QUERY, VALUE, (6, 4)], "must have one length"),
    Bad("MultiHeadAttention", dict(num_heads=2, key_dim=2, attention_axes=3), [QUERY, VALUE], "1 to 1, they are (3,)"),
    Bad("MultiHeadAttention", dict(num_heads=2, key_dim=2, flash_attention=True, dropout=0.1), [QUERY, VALUE],
        "flash attention has no dropout, it is 0.1"),
    Bad("MultiHeadAttention", dict(num_heads=2, key_dim=2, sliding_window=0), [QUERY, VALUE],
        "sliding_window must be a positive integer, it is 0"),
    Bad("GroupQueryAttention", dict(head_dim=2, num_query_heads=3, num_key_value_heads=2), [QUERY, VALUE],
        "num_query_heads must be a multiple of num_key_value_heads, they are 3 and 2"),
    Bad("GroupQueryAttention", dict(head_dim=2, num_query_heads=2, num_key_value_heads=2), [(2, 3, 4), (2, 3, 4)],
        "must be (batch, length, features)"),
]
