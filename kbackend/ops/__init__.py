"""All op declarations, a folder a family, and the namespace ``kbackend.ops``.

The namespace has the functions of NumPy and Keras 3 by their names, on any engine. Importing it imports no engine.

Names that K has with the same meaning are the same objects; docs/guide/ops.md lists those with another meaning.
"""

from kbackend.declare.op import REGISTRY as _declared
from kbackend.ground.collector import collector_at_rest as _collector_at_rest
from kbackend.ground.suggest import suggest_in as _suggest_in

with _collector_at_rest(lasting=True):
    from kbackend.ops.arrays.broadcast import *
    from kbackend.ops.arrays.convert import *
    from kbackend.ops.arrays.diagonal import *
    from kbackend.ops.arrays.einops import *
    from kbackend.ops.arrays.join import *
    from kbackend.ops.arrays.pad import *
    from kbackend.ops.arrays.ranges import *
    from kbackend.ops.arrays.repeat import *
    from kbackend.ops.arrays.reshape import *
    from kbackend.ops.arrays.split import *
    from kbackend.ops.arrays.transpose import *
    from kbackend.ops.collective.pieces import *
    from kbackend.ops.collective.reduce import *
    from kbackend.ops.collective.replicate import *
    from kbackend.ops.control.cond import *
    from kbackend.ops.control.custom_gradient import *
    from kbackend.ops.control.foreign import *
    from kbackend.ops.control.jvp import *
    from kbackend.ops.control.map_fn import *
    from kbackend.ops.control.map_fn import map_ as map
    from kbackend.ops.control.module import *
    from kbackend.ops.control.phase import *
    from kbackend.ops.control.print import *
    from kbackend.ops.control.scan import *
    from kbackend.ops.control.subgraph import *
    from kbackend.ops.control.while_loop import *
    from kbackend.ops.core.cast import *
    from kbackend.ops.core.creation import *
    from kbackend.ops.core.creation import identity_matrix as identity
    from kbackend.ops.core.gradients import *
    from kbackend.ops.core.inspect import *
    from kbackend.ops.core.leaves import *
    from kbackend.ops.core.updates import *
    from kbackend.ops.elementwise.arithmetic import *
    from kbackend.ops.elementwise.arithmetic import abs_ as abs
    from kbackend.ops.elementwise.bitwise import *
    from kbackend.ops.elementwise.comparison import *
    from kbackend.ops.elementwise.complex import *
    from kbackend.ops.elementwise.exponential import *
    from kbackend.ops.elementwise.floating import *
    from kbackend.ops.elementwise.hyperbolic import *
    from kbackend.ops.elementwise.logical import *
    from kbackend.ops.elementwise.normal_quantile import *
    from kbackend.ops.elementwise.power import *
    from kbackend.ops.elementwise.rounding import *
    from kbackend.ops.elementwise.rounding import round_ as round
    from kbackend.ops.elementwise.select import *
    from kbackend.ops.elementwise.special import *
    from kbackend.ops.elementwise.trigonometric import *
    from kbackend.ops.image.color import *
    from kbackend.ops.image.crop import *
    from kbackend.ops.image.geometry import *
    from kbackend.ops.image.resize import *
    from kbackend.ops.image.upsample import *
    from kbackend.ops.indexing.gather import *
    from kbackend.ops.indexing.getitem import *
    from kbackend.ops.indexing.getitem import slice_ as slice
    from kbackend.ops.indexing.one_hot import *
    from kbackend.ops.indexing.scatter import *
    from kbackend.ops.indexing.searching import *
    from kbackend.ops.indexing.segment import *
    from kbackend.ops.indexing.sorting import *
    from kbackend.ops.indexing.top_k import *
    from kbackend.ops.linalg.batch_dot import *
    from kbackend.ops.linalg.decompositions import *
    from kbackend.ops.linalg.dense import *
    from kbackend.ops.linalg.einsum import *
    from kbackend.ops.linalg.lstsq import *
    from kbackend.ops.linalg.matmul import *
    from kbackend.ops.linalg.norms import *
    from kbackend.ops.linalg.solve import *
    from kbackend.ops.linalg.vectors import *
    from kbackend.ops.losses.crossentropy import *
    from kbackend.ops.losses.ctc import *
    from kbackend.ops.losses.focal import *
    from kbackend.ops.nn.attention import *
    from kbackend.ops.nn.batch_norm import *
    from kbackend.ops.nn.conv import *
    from kbackend.ops.nn.conv_any import *
    from kbackend.ops.nn.conv_local import *
    from kbackend.ops.nn.conv_transpose import *
    from kbackend.ops.nn.dropout import *
    from kbackend.ops.nn.layer_norm import *
    from kbackend.ops.nn.optimizer_steps import *
    from kbackend.ops.nn.pooling import *
    from kbackend.ops.nn.relu import *
    from kbackend.ops.nn.sigmoid import *
    from kbackend.ops.nn.softmax import *
    from kbackend.ops.nn.unfold import *
    from kbackend.ops.random.bernoulli import *
    from kbackend.ops.random.binomial import *
    from kbackend.ops.random.categorical import *
    from kbackend.ops.random.draws import *
    from kbackend.ops.random.gamma import *
    from kbackend.ops.random.normal import *
    from kbackend.ops.random.permutation import *
    from kbackend.ops.random.portable import *
    from kbackend.ops.random.rows import *
    from kbackend.ops.random.uniform import *
    from kbackend.ops.reduction.arg import *
    from kbackend.ops.reduction.cumulative import *
    from kbackend.ops.reduction.extremes import max_ as max
    from kbackend.ops.reduction.extremes import min_ as min
    from kbackend.ops.reduction.reductions import *
    from kbackend.ops.reduction.reductions import all_ as all
    from kbackend.ops.reduction.reductions import any_ as any
    from kbackend.ops.reduction.reductions import sum_ as sum
    from kbackend.ops.rnn.gru import *
    from kbackend.ops.rnn.lstm import *
    from kbackend.ops.rnn.rnn import *
    from kbackend.ops.rnn.simple_rnn import *
    from kbackend.ops.signal.correlate import *
    from kbackend.ops.signal.fft import *
    from kbackend.ops.signal.stft import *
    from kbackend.ops.signal.windows import *
    from kbackend.ops.statistics.differences import *
    from kbackend.ops.statistics.membership import *
    from kbackend.ops.statistics.moments import *
    from kbackend.ops.statistics.nan import *
    from kbackend.ops.statistics.quantile import *
    from kbackend.ops.tensor import operators as _operators

_suggest_in(__name__)
