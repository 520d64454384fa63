"""The same networks in kbackend; the environment variable KBACKEND says on which engine they run."""
