"""The tests of the conformance kit, for any installed backend."""
