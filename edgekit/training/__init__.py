"""Fine-tuning that all passes share: rows, transforms, objective, loop."""
