package @package@;

import androidx.annotation.NonNull;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/** Whether the model on this phone computes what the one that was built computes. */
public final class SelfTest {
  /** Whether all outputs are as they should be. */
  public final boolean ok;

  /** What was compared, or the first element that differs. */
  @NonNull public final String message;

  private SelfTest(boolean ok, String message) {
    this.ok = ok;
    this.message = message;
  }

  @Override
  @NonNull
  public String toString() {
    return (ok ? "ok: " : "failed: ") + message;
  }

  /** What runs the model: buffers of all inputs in, buffers of all outputs back. */
  interface Runner {
    ByteBuffer[] run(ByteBuffer[] inputs);
  }

  static SelfTest failed(String message) {
    return new SelfTest(false, message);
  }

  static String sha256(ByteBuffer content) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(content.duplicate());
      StringBuilder text = new StringBuilder();
      for (byte each : digest.digest()) {
        text.append(Character.forDigit((each >> 4) & 15, 16));
        text.append(Character.forDigit(each & 15, 16));
      }
      return text.toString();
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error); // every Android has it
    }
  }

  /**
   * Runs golden vectors.
   *
   * @param golden for each vector the inputs, then the outputs, little-endian
   * @param allowed what an element of each output may differ by; NaN: it is not compared
   */
  static SelfTest run(
      byte[] golden, List<Port> inputs, List<Port> outputs, double[] allowed, Runner runner) {
    ByteBuffer rest = ByteBuffer.wrap(golden).order(ByteOrder.LITTLE_ENDIAN);
    int vectors = 0;
    for (; rest.hasRemaining(); vectors++) {
      ByteBuffer[] given = new ByteBuffer[inputs.size()];
      for (int i = 0; i < given.length; i++) {
        given[i] = taken(rest, inputs.get(i));
      }
      ByteBuffer[] got = runner.run(given);
      for (int place = 0; place < outputs.size(); place++) {
        ByteBuffer wanted = taken(rest, outputs.get(place));
        String wrong = first(outputs.get(place), wanted, got[place], allowed[place]);
        if (wrong != null) {
          return failed("golden vector " + vectors + ": output " + place + " " + wrong);
        }
      }
    }
    return new SelfTest(true, vectors + " golden vectors");
  }

  /** The next bytes as the interpreter wants them; phones are little-endian, as the file is. */
  private static ByteBuffer taken(ByteBuffer rest, Port port) {
    byte[] content = new byte[port.bytes()];
    rest.get(content);
    ByteBuffer buffer = port.buffer();
    buffer.put(content);
    buffer.rewind();
    return buffer;
  }

  private static String first(Port port, ByteBuffer wanted, ByteBuffer got, double allowed) {
    got.rewind();
    for (int i = 0; i < port.elements() && !Double.isNaN(allowed); i++) {
      double right = port.next(wanted);
      double value = port.next(got);
      boolean near = Math.abs(right - value) <= allowed;
      boolean same = right == value || (Double.isNaN(right) && Double.isNaN(value));
      if (!near && !same) {
        return "element " + i + " is " + value + ", should be " + right;
      }
    }
    return null;
  }
}
