package @package@;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Names of the classes. */
final class Labels {
  private Labels() {}

  static List<String> all() {
    StringBuilder lines = new StringBuilder(); // a constant holds 64 KB at most
@lines@
    List<String> names =
        lines.length() == 0 ? Arrays.<String>asList() : Arrays.asList(lines.toString().split("\n"));
    return Collections.unmodifiableList(names);
  }
}
