package @package@;

import android.content.Context;
import android.content.res.AssetManager;
import android.graphics.Bitmap;
import java.io.File;
import java.nio.ByteBuffer;
import java.util.List;

/** Uses the library as an app does; assets come from the folder that is given. */
public final class Run {
  public static void main(String[] arguments) throws Exception {
    File folder = new File(arguments[0]);
    Context context = new Stand(folder, arguments[1].equals("compressed"));
    ByteBuffer model = @class@.load(context);
    System.out.println("mapped " + model.isReadOnly() + ", direct " + model.isDirect());
    System.out.println("labels " + @class@.LABELS);
    try (@class@ it = new @class@(context)) {
      float[][] real = new float[@class@.INPUTS.size()][];
      for (int i = 0; i < real.length; i++) {
        float[] row = new float[@class@.INPUTS.get(i).elements()];
        for (int j = 0; j < row.length; j++) {
          row[j] = j % 17;
        }
        real[i] = @class@.preprocess(i, row);
      }
      StringBuilder scores = new StringBuilder("scores");
      List<float[]> predicted = it.predictAll(real);
      for (float[] output : predicted) {
        for (float score : output) {
          scores.append(' ').append(score);
        }
      }
      System.out.println(scores);
      System.out.println("label " + @class@.label(predicted.get(0)));
      System.out.println("test " + it.selfTest());
    }
  }

  private static final class Stand extends Context {
    private final AssetManager assets;

    Stand(File folder, boolean compressed) {
      assets = new AssetManager(folder, compressed);
    }

    @Override
    public AssetManager getAssets() {
      return assets;
    }
  }
}
