"""The PyTorch engine, on CPU and CUDA."""

from kbackend.plugin.contract import Backend
from kbackend.plugin.discover import engine


@engine(module="torch", install="pip install 'kbackend[torch]'", preference=30)
def backend() -> Backend:
    from kbackend_torch.engine import TorchBackend

    return TorchBackend()
