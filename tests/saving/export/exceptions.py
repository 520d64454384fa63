"""Layers that a format cannot hold, and words of the reason; each other layer leaves in each format."""

EQUALIZATION = "ContrastLimitedAdaptiveHistogramEqualization"
EXCEPTIONS = {
    "torch_export": {EQUALIZATION: "torch.export cannot trace .*segment_reduce"},
    "onnx": {
        EQUALIZATION: "torch.export cannot trace .*segment_reduce",
        "Discretization": "ONNX cannot hold .*: No ONNX function found",
    },
    "tf_saved_model": {},
    "tflite": {
        "Discretization": "TensorFlow Lite cannot hold .*lacks UpperBound; it failed in the line '.*search_sorted",
        "ConvLSTM3D": "TensorFlow Lite cannot run .*only supports 1D-5D input arrays",
    },
}
