package org.tensorflow.lite;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;

/** Stands in for LiteRT's Java binding: the same runtime, in a Python process beside this one. */
public final class Interpreter implements AutoCloseable {
  /** None that matter here. */
  public static class Options {}

  private final Process process;
  private final DataOutputStream to;
  private final DataInputStream from;

  public Interpreter(ByteBuffer model, Options options) {
    if (!model.isDirect()) {
      throw new IllegalArgumentException("Model ByteBuffer should be direct");
    }
    try {
      process =
          new ProcessBuilder(System.getProperty("python"), System.getProperty("worker"))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      to = new DataOutputStream(process.getOutputStream());
      from = new DataInputStream(process.getInputStream());
      send(model.duplicate());
      to.flush();
    } catch (IOException error) {
      throw new IllegalStateException(error);
    }
  }

  public void runForMultipleInputsOutputs(Object[] inputs, Map<Integer, Object> outputs) {
    try {
      for (Object input : inputs) {
        send(((ByteBuffer) input).duplicate());
      }
      to.flush();
      for (int i = 0; i < outputs.size(); i++) {
        byte[] content = new byte[from.readInt()];
        from.readFully(content);
        ByteBuffer output = (ByteBuffer) outputs.get(i);
        if (output.remaining() != content.length) {
          throw new IllegalArgumentException("output has " + content.length + " bytes");
        }
        output.put(content);
      }
    } catch (IOException error) {
      throw new IllegalStateException(error);
    }
  }

  @Override
  public void close() {
    try {
      to.close();
      process.waitFor();
    } catch (IOException | InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  private void send(ByteBuffer values) throws IOException {
    values.rewind();
    byte[] content = new byte[values.remaining()];
    values.get(content);
    to.writeInt(content.length);
    to.write(content);
  }
}
