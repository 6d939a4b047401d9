"""The parts of the qemu driver: firmware, counting, and the estimate of cycles."""
