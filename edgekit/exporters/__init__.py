"""One file an export format: the finished flatbuffer as the files a target wants."""
