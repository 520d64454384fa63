"""Matrix product kernels."""

import torch

KERNELS = {"matmul": torch.matmul}
