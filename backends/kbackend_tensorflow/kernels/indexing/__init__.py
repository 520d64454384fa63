"""Indexing, gathering, scattering, searching and sorting."""

from kbackend_tensorflow.kernels.indexing import gather, getitem, one_hot, scatter, searching, sorting, top_k

KERNELS = {
    **gather.KERNELS,
    **getitem.KERNELS,
    **one_hot.KERNELS,
    **scatter.KERNELS,
    **searching.KERNELS,
    **sorting.KERNELS,
    **top_k.KERNELS,
}
