// Runs the self test of @p@ once and says over the serial line how it went.
#include <@p@.h>
#include <@p@_self_test.h>

alignas(@P@_ARENA_ALIGN) static int8_t arena[@P@_ARENA_BYTES];

void setup() {
  Serial.begin(115200);
  while (!Serial) {
  }
  @p@_difference first = {0, 0, 0};
  int status = @p@_self_test(arena, &first);
  if (status == @P@_OK) {
    Serial.println("@p@: every output is as it must be");
    return;
  }
  Serial.print("@p@: failed with status ");
  Serial.println(status);
  Serial.print("vector ");
  Serial.println((unsigned long)first.vector);
  Serial.print("output ");
  Serial.println((unsigned long)first.output);
  Serial.print("element ");
  Serial.println((unsigned long)first.element);
}

void loop() {}
