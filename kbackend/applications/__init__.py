"""Networks for pictures by name, as Keras 2.3 has them: the same layers, names, and order of weights.

All of them take these arguments, and more where their own text says so:

- ``include_top``: whether the classifier stands at the end.
- ``weights``: a file of weights; 'imagenet' for Keras's file in ``~/.kbackend/models`` or ``~/.keras/models``; None for
  new weights. Nothing is downloaded.
- ``input_tensor``: a symbolic tensor that the network is applied to, in place of an input of its own.
- ``input_shape``: of a picture; the usual one when None, without the classifier any size.
- ``pooling``: without the classifier, 'avg' or 'max' over all places; None for the features.
- ``classes``: of the classifier.

They raise ``ValueError`` for arguments that do not fit together, and ``FileNotFoundError`` for weights that are not
there; the message says where to put them. ``kbackend.applications.vgg16`` and the like have ``preprocess_input`` and
``decode_predictions`` of each network.

>>> from kbackend.applications import MobileNetV2
>>> model = MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=10)
>>> model.output_shape, model.get_layer("block_2_add").output.shape
((None, 10), (None, 24, 24, 8))
"""

from kbackend.applications import (
    densenet,
    imagenet_utils,
    inception_resnet_v2,
    inception_v3,
    mobilenet,
    mobilenet_v2,
    nasnet,
    resnet,
    resnet50,
    resnet_v2,
    vgg16,
    vgg19,
    xception,
)
from kbackend.applications.densenet import DenseNet121, DenseNet169, DenseNet201
from kbackend.applications.inception_resnet_v2 import InceptionResNetV2
from kbackend.applications.inception_v3 import InceptionV3
from kbackend.applications.mobilenet import MobileNet
from kbackend.applications.mobilenet_v2 import MobileNetV2
from kbackend.applications.nasnet import NASNetLarge, NASNetMobile
from kbackend.applications.resnet import ResNet101, ResNet152
from kbackend.applications.resnet50 import ResNet50
from kbackend.applications.resnet_v2 import ResNet50V2, ResNet101V2, ResNet152V2
from kbackend.applications.vgg16 import VGG16
from kbackend.applications.vgg19 import VGG19
from kbackend.applications.xception import Xception
from kbackend.ground.suggest import suggest_in as _suggest_in

__all__ = [
    "VGG16",
    "VGG19",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "NASNetLarge",
    "NASNetMobile",
    "ResNet50",
    "ResNet50V2",
    "ResNet101",
    "ResNet101V2",
    "ResNet152",
    "ResNet152V2",
    "Xception",
    "densenet",
    "imagenet_utils",
    "inception_resnet_v2",
    "inception_v3",
    "mobilenet",
    "mobilenet_v2",
    "nasnet",
    "resnet",
    "resnet50",
    "resnet_v2",
    "vgg16",
    "vgg19",
    "xception",
]

_suggest_in(__name__)
