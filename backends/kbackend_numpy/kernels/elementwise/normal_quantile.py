"""The normal quantile."""

from kbackend.plugin.host.normal_quantile import normal_quantile

KERNELS = {"normal_quantile": normal_quantile}
