package @package@;

import android.content.Context;
import android.content.res.AssetManager;
import android.graphics.Bitmap;
import java.io.File;
import java.nio.ByteBuffer;

/** Uses the library as an app does; assets come from the folder that is given. */
public final class Run {
  public static void main(String[] arguments) throws Exception {
    File folder = new File(arguments[0]);
    Context context = new Stand(folder, arguments[1].equals("compressed"));
    ByteBuffer model = @class@.load(context);
    System.out.println("mapped " + model.isReadOnly() + ", direct " + model.isDirect());
    System.out.println("labels " + @class@.LABELS);
    try (@class@ it = new @class@(context)) {
      float[] row = new float[@class@.INPUTS.get(0).elements()];
      for (int i = 0; i < row.length; i++) {
        row[i] = i % 17;
      }
      float[] real = @class@.preprocess(row);
      StringBuilder scores = new StringBuilder("scores");
      float[] predicted = it.predict(real);
      for (float score : predicted) {
        scores.append(' ').append(score);
      }
      System.out.println(scores);
      System.out.println("label " + @class@.label(predicted));
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
