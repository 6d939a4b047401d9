package android.content;

/** Stands in for Android's. */
public abstract class Context {
  public abstract android.content.res.AssetManager getAssets();
}
