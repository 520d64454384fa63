"""Names of dtypes and torch's objects for them."""

import torch

from kbackend import dtypes

TORCH = {name: getattr(torch, name) for name in dtypes.ALL if hasattr(torch, name)}
NAME = {dtype: name for name, dtype in TORCH.items()}
