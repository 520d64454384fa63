"""The same networks in kbackend; the environment variable KBACKEND chooses the engine."""
