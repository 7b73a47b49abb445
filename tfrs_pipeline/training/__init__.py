"""From a snapshot to trained towers: examples, the training loop, checkpoints."""
