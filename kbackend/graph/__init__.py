"""The neutral graph: immutable nodes, symbolic tensors, variables. It knows no engine and no op by name."""
