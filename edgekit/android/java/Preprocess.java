package @package@;

/**
 * From raw rows to the values that the model was trained on, bit for bit as edgekit computes them:
 * resized in float, then ((x * scale + offset) - mean) / std in double, rounded once to float.
 */
final class Preprocess {
  private final String type;
  private final boolean resizes;
  private final boolean identity;
  private final double scale;
  private final double offset;
  private final double[] mean;
  private final double[] std;

  Preprocess(
      String type, boolean resizes, double scale, double offset, double[] mean, double[] std) {
    this.type = type;
    this.resizes = resizes;
    this.scale = scale;
    this.offset = offset;
    this.mean = mean;
    this.std = std;
    this.identity = scale == 1 && offset == 0 && mean.length == 0 && std.length == 0;
  }

  /** A row of the input's own size. */
  float[] apply(double[] row, Port input) {
    if (row.length != input.elements()) {
      throw new IllegalArgumentException(
          input.name + " takes " + input.elements() + " values, and " + row.length
              + " are given; say height and width of a picture of another size");
    }
    return input.whole() ? wholes(row, input) : values(cast(row));
  }

  /**
   * A picture of any size, its channels last.
   *
   * @param fits whether it is resized to the input in any case, not just where all rows are
   */
  float[] apply(double[] row, int height, int width, Port input, boolean fits) {
    int[] shape = input.shape();
    if (shape.length < 3) {
      throw new IllegalArgumentException(input.name + " takes no pictures");
    }
    if (shape[1] == height && shape[2] == width) {
      return apply(row, input);
    }
    if (!resizes && !fits) {
      throw new IllegalArgumentException(
          input.name + " takes pictures of " + shape[1] + "x" + shape[2] + ", and " + height + "x"
              + width + " is given; resize it as the training data were, or build with "
              + "--preprocess resize=" + shape[1] + "x" + shape[2]);
    }
    int channels = input.elements() / (shape[1] * shape[2]);
    if ((long) height * width * channels != row.length) {
      throw new IllegalArgumentException(
          row.length + " values are no picture of " + height + "x" + width + "x" + channels);
    }
    return values(resize(cast(row), height, width, shape[1], shape[2], channels));
  }

  /** Colours 0xAARRGGBB as channels: red, green and blue, or luma (ITU-R 601-2); no alpha. */
  static double[] channels(int[] argb, Port input) {
    int[] shape = input.shape();
    int channels = shape.length == 4 ? shape[3] : 1;
    if (shape.length < 3 || (channels != 1 && channels != 3)) {
      throw new IllegalArgumentException(input.name + " takes no pictures");
    }
    double[] row = new double[argb.length * channels];
    for (int i = 0; i < argb.length; i++) {
      int red = (argb[i] >> 16) & 0xff;
      int green = (argb[i] >> 8) & 0xff;
      int blue = argb[i] & 0xff;
      if (channels == 1) {
        row[i] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
      } else {
        row[3 * i] = red;
        row[3 * i + 1] = green;
        row[3 * i + 2] = blue;
      }
    }
    return row;
  }

  static double[] unsigned(byte[] row) {
    double[] values = new double[row.length];
    for (int i = 0; i < row.length; i++) {
      values[i] = row[i] & 0xff;
    }
    return values;
  }

  static double[] widened(int[] row) {
    double[] values = new double[row.length];
    for (int i = 0; i < row.length; i++) {
      values[i] = row[i];
    }
    return values;
  }

  static double[] widened(float[] row) {
    double[] values = new double[row.length];
    for (int i = 0; i < row.length; i++) {
      values[i] = row[i];
    }
    return values;
  }

  private double[] cast(double[] row) {
    if (type.equals("auto")) {
      return row;
    }
    double[] cast = new double[row.length];
    for (int i = 0; i < row.length; i++) {
      cast[i] = cast(row[i]);
    }
    return cast;
  }

  private double cast(double value) {
    switch (type) {
      case "float32":
        return (float) value;
      case "uint8":
        return within(value, 0, 255);
      case "int8":
        return within(value, Byte.MIN_VALUE, Byte.MAX_VALUE);
      case "uint16":
        return within(value, 0, 65535);
      case "int16":
        return within(value, Short.MIN_VALUE, Short.MAX_VALUE);
      default:
        return within(value, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }
  }

  private double within(double value, double low, double high) {
    if (value >= low && value <= high && value == Math.rint(value)) {
      return value;
    }
    throw new IllegalArgumentException("raw rows are " + type + ", and " + value + " does not fit");
  }

  /** Class numbers and tokens are no measurements: they are taken as they are. */
  private static float[] wholes(double[] row, Port input) {
    float[] values = new float[row.length];
    for (int i = 0; i < row.length; i++) {
      values[i] = (float) row[i];
      if (values[i] != row[i] || row[i] != Math.rint(row[i])) {
        throw new IllegalArgumentException(
            input.name + " takes whole numbers, at most 2^24, and " + row[i] + " is none");
      }
    }
    return values;
  }

  private float[] values(double[] row) {
    float[] values = new float[row.length];
    for (int i = 0; i < row.length; i++) {
      double value = row[i];
      if (!identity) {
        value = value * scale + offset;
        if (mean.length > 0) {
          value -= mean[i % mean.length];
        }
        if (std.length > 0) {
          value /= std[i % std.length];
        }
      }
      values[i] = (float) value;
    }
    return values;
  }

  /** Bilinear, half-pixel centres, no antialiasing: rows first, then columns, in float. */
  private static double[] resize(
      double[] row, int height, int width, int newHeight, int newWidth, int channels) {
    float[] value = new float[row.length];
    for (int i = 0; i < row.length; i++) {
      value[i] = (float) row[i];
    }
    value = along(value, 1, height, newHeight, width * channels);
    value = along(value, newHeight, width, newWidth, channels);
    return widened(value);
  }

  /** Resizes the middle axis of [outer, size, inner]. */
  private static float[] along(float[] value, int outer, int size, int newSize, int inner) {
    float[] resized = new float[outer * newSize * inner];
    for (int place = 0; place < newSize; place++) {
      double centre = (place + 0.5) * ((double) size / newSize) - 0.5;
      centre = Math.min(Math.max(centre, 0), size - 1);
      int low = (int) Math.floor(centre);
      int high = Math.min(low + 1, size - 1);
      float weight = (float) (centre - low);
      float rest = 1 - weight;
      for (int o = 0; o < outer; o++) {
        int first = (o * size + low) * inner;
        int second = (o * size + high) * inner;
        int to = (o * newSize + place) * inner;
        for (int i = 0; i < inner; i++) {
          resized[to + i] = value[first + i] * rest + value[second + i] * weight;
        }
      }
    }
    return resized;
  }
}
