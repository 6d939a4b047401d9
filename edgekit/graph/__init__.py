"""A `.tflite` flatbuffer as a small frozen graph: read once, checked, used everywhere."""
