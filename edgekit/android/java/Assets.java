package @package@;

import android.content.res.AssetFileDescriptor;
import android.content.res.AssetManager;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/** Reads what the package carries. */
final class Assets {
  private Assets() {}

  /** An asset mapped into memory, or copied where the app has compressed it. */
  static ByteBuffer load(AssetManager assets, String name) throws IOException {
    try (AssetFileDescriptor file = assets.openFd(name);
        FileInputStream stream = new FileInputStream(file.getFileDescriptor())) {
      FileChannel channel = stream.getChannel();
      return channel
          .map(FileChannel.MapMode.READ_ONLY, file.getStartOffset(), file.getDeclaredLength())
          .order(ByteOrder.nativeOrder());
    } catch (FileNotFoundException compressed) { // or not there, which open() says
      return copied(read(assets, name));
    }
  }

  static byte[] read(AssetManager assets, String name) throws IOException {
    try (InputStream stream = assets.open(name)) {
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      byte[] part = new byte[1 << 16];
      for (int count = stream.read(part); count >= 0; count = stream.read(part)) {
        content.write(part, 0, count);
      }
      return content.toByteArray();
    }
  }

  private static ByteBuffer copied(byte[] content) {
    ByteBuffer copy = ByteBuffer.allocateDirect(content.length).order(ByteOrder.nativeOrder());
    copy.put(content);
    copy.rewind();
    return copy;
  }
}
