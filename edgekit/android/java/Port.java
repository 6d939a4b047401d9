package @package@;

import androidx.annotation.NonNull;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** An input or output of the model: real = scale * (stored - zeroPoint). */
public final class Port {
  /** As the model calls it. */
  @NonNull public final String name;

  /** What it stores: int8, uint8, int16, int32, int64, float32 or bool. */
  @NonNull public final String type;

  /** 0 where nothing is quantized. */
  public final float scale;

  /** The stored number that stands for 0. */
  public final int zeroPoint;

  private final int[] shape;

  Port(String name, String type, float scale, int zeroPoint, int... shape) {
    this.name = name;
    this.type = type;
    this.scale = scale;
    this.zeroPoint = zeroPoint;
    this.shape = shape;
  }

  /** Sizes, the batch (which is 1) first. */
  @NonNull
  public int[] shape() {
    return shape.clone();
  }

  /** How many values it holds. */
  public int elements() {
    int count = 1;
    for (int size : shape) {
      count *= size;
    }
    return count;
  }

  /** How many bytes it holds. */
  public int bytes() {
    return elements() * width();
  }

  /** An empty buffer for it, as the interpreter wants one. */
  @NonNull
  public ByteBuffer buffer() {
    return ByteBuffer.allocateDirect(bytes()).order(ByteOrder.nativeOrder());
  }

  /**
   * Real values as they are stored: divided by the scale, rounded half away from zero, plus the
   * zero point, clamped; NaN becomes the zero point.
   *
   * @throws IllegalArgumentException there are not as many values as elements
   */
  @NonNull
  public ByteBuffer quantize(@NonNull float[] real) {
    ByteBuffer stored = buffer();
    write(real, stored);
    return stored;
  }

  /** The real values of a buffer, read from its start. */
  @NonNull
  public float[] dequantize(@NonNull ByteBuffer stored) {
    ByteBuffer from = stored.duplicate().order(stored.order());
    from.rewind();
    float[] real = new float[elements()];
    boolean plain = type.equals("float32");
    for (int i = 0; i < real.length; i++) {
      real[i] = plain ? from.getFloat() : dequantized(read(from));
    }
    return real;
  }

  /** Whether it holds class numbers, tokens or flags instead of measurements. */
  boolean whole() {
    return scale == 0 && (type.equals("int32") || type.equals("int64") || type.equals("bool"));
  }

  void write(float[] real, ByteBuffer to) {
    if (real.length != elements()) {
      throw new IllegalArgumentException(
          name + " takes " + elements() + " values, and " + real.length + " are given");
    }
    to.rewind();
    for (float value : real) {
      write(value, to);
    }
    to.rewind();
  }

  /** The next value as it is stored; floats too, since double holds them all but long. */
  double next(ByteBuffer from) {
    return type.equals("float32") ? from.getFloat() : read(from);
  }

  private void write(float real, ByteBuffer to) {
    switch (type) {
      case "float32":
        to.putFloat(real);
        break;
      case "bool":
        to.put((byte) (real != 0 ? 1 : 0));
        break;
      case "int8":
        to.put((byte) quantized(real, Byte.MIN_VALUE, Byte.MAX_VALUE));
        break;
      case "uint8":
        to.put((byte) (int) quantized(real, 0, 255));
        break;
      case "int16":
        to.putShort((short) quantized(real, Short.MIN_VALUE, Short.MAX_VALUE));
        break;
      case "int32":
        to.putInt((int) quantized(real, Integer.MIN_VALUE, Integer.MAX_VALUE));
        break;
      default:
        to.putLong((long) quantized(real, Long.MIN_VALUE, Long.MAX_VALUE));
    }
  }

  private double quantized(float real, double low, double high) {
    double steps = scale == 0 ? real : real / scale; // a float: the division rounds to one
    if (Double.isNaN(steps)) {
      return Math.min(Math.max(zeroPoint, low), high);
    }
    double whole = steps < 0 ? Math.ceil(steps) : Math.floor(steps);
    if (Math.abs(steps - whole) >= 0.5) {
      whole += Math.signum(steps);
    }
    return Math.min(Math.max(whole + zeroPoint, low), high);
  }

  private long read(ByteBuffer from) {
    switch (type) {
      case "int8":
        return from.get();
      case "uint8":
      case "bool":
        return from.get() & 0xff;
      case "int16":
        return from.getShort();
      case "int32":
        return from.getInt();
      default:
        return from.getLong();
    }
  }

  private float dequantized(long stored) {
    return scale == 0 ? stored : (float) ((double) (stored - zeroPoint) * scale);
  }

  private int width() {
    switch (type) {
      case "int16":
        return 2;
      case "int32":
      case "float32":
        return 4;
      case "int64":
        return 8;
      default:
        return 1;
    }
  }
}
