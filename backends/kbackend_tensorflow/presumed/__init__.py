"""What programs are traced on the presumption of, with assertions: batches with samples, finite values."""
