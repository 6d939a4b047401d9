"""Between a float flatbuffer and layers that can be trained, both ways."""
