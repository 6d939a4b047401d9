package @package@;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Answers questions of a test on standard input: one byte says which, then its values follow. */
public final class Driver {
  private static DataInputStream in;
  private static DataOutputStream out;

  public static void main(String[] arguments) throws IOException {
    in = new DataInputStream(new BufferedInputStream(System.in));
    out = new DataOutputStream(new BufferedOutputStream(System.out));
    try {
      while (true) {
        answer(in.readByte());
      }
    } catch (EOFException end) {
      out.flush();
    }
  }

  private static void answer(int question) throws IOException {
    if (question == 'l') {
      out.writeInt(Labels.all().size());
      for (String label : Labels.all()) {
        out.writeUTF(label);
      }
      return;
    }
    Port port = new Port("it", in.readUTF(), in.readFloat(), in.readInt(), ints(in.readInt()));
    switch (question) {
      case 'q':
        bytes(port.quantize(floats(in.readInt())));
        break;
      case 'd':
        floats(port.dequantize(given(port)));
        break;
      default:
        prepare(port);
    }
  }

  private static void prepare(Port port) throws IOException {
    Preprocess preprocess =
        new Preprocess(
            in.readUTF(),
            in.readBoolean(),
            in.readDouble(),
            in.readDouble(),
            doubles(in.readInt()),
            doubles(in.readInt()));
    int kind = in.readByte();
    int height = in.readInt();
    int width = in.readInt();
    double[] row = row(kind, port);
    try {
      float[] real =
          height == 0
              ? preprocess.apply(row, port)
              : preprocess.apply(row, height, width, port, kind == 'x');
      floats(real);
      bytes(port.quantize(real));
    } catch (IllegalArgumentException error) {
      out.writeInt(-1);
      out.writeUTF(error.getMessage());
    }
  }

  private static double[] row(int kind, Port port) throws IOException {
    int count = in.readInt();
    switch (kind) {
      case 'b':
        byte[] raw = new byte[count];
        in.readFully(raw);
        return Preprocess.unsigned(raw);
      case 'f':
        return Preprocess.widened(floats(count));
      case 'x':
        return Preprocess.channels(ints(count), port);
      default:
        return Preprocess.widened(ints(count));
    }
  }

  private static ByteBuffer given(Port port) throws IOException {
    byte[] raw = new byte[port.bytes()];
    in.readFully(raw);
    return ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int[] ints(int count) throws IOException {
    int[] values = new int[count];
    for (int i = 0; i < count; i++) {
      values[i] = in.readInt();
    }
    return values;
  }

  private static float[] floats(int count) throws IOException {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = in.readFloat();
    }
    return values;
  }

  private static double[] doubles(int count) throws IOException {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = in.readDouble();
    }
    return values;
  }

  private static void floats(float[] values) throws IOException {
    out.writeInt(values.length);
    for (float value : values) {
      out.writeFloat(value);
    }
  }

  private static void bytes(ByteBuffer values) throws IOException {
    byte[] raw = new byte[values.remaining()];
    values.get(raw);
    out.writeInt(raw.length);
    out.write(raw);
  }
}
