package android.content.res;

public class AssetManager {
  public native AssetFileDescriptor openFd(String name) throws java.io.IOException;

  public native java.io.InputStream open(String name) throws java.io.IOException;
}
